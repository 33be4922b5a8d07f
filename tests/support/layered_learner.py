"""The toy policy with two transformer layers, for gradient checkpointing and shards."""

import torch
from torch import nn
from toy_learner import ToyLearner, preset  # noqa: F401  (of this module too)

from ambidex.policies.registry import POLICIES, PRESETS

NAME = "layered"


class Layer(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, width)
        self.feedforward = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens, *, scale):
        tokens = tokens + self.drop(self.out(self.norm(tokens))) * scale
        return tokens + self.feedforward(tokens)


class LayeredLearner(ToyLearner):
    name = NAME

    def __init__(self, config, spec, statistics):
        super().__init__(config, spec, statistics)
        self.layers = nn.ModuleList(Layer(config.hidden, config.dropout) for _ in range(2))
        self.layers[0].out.weight.data = self.layers[0].out.weight.data.t()  # as convolutions with channels last
        self.factor = nn.Parameter(torch.ones(1))  # fewer rows than processes

    def layer_classes(self):
        return (Layer,)

    def hidden(self, observation):
        tokens = super().hidden(observation) * self.factor
        for layer in self.layers:
            tokens = layer(tokens, scale=0.5)
        return tokens


def register():
    """Register the policy, as one line in the registry would."""
    POLICIES[NAME] = "layered_learner:LayeredLearner"
    PRESETS[NAME] = "layered_learner:preset"
