"""The flow matching head: noise becomes a chunk of actions along a learned velocity.

Source: Lipman et al., "Flow matching for generative modeling", ICLR 2023; Black et al., "pi0", 2024.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.robovlms.heads.head import ActionLayers
from ambidex.policies.robovlms.losses import masked_mean

TIME_WIDTH = 64  # dimensions of the sinusoids of time
LONGEST_PERIOD = 4.0  # of these sinusoids, where time runs from 0 to 1
SHORTEST_PERIOD = 4e-3


class FlowLayers(ActionLayers):
    """Velocity of the chunk from features, the noisy chunk and the time; binary grippers are -1 or 1 in the chunk.

    Time 0 is noise, time 1 the actions, and between them is a straight line.

    Args:
        width: Dimensions of the features.
        hidden: Dimensions of the hidden layers.
        layers: Their number.
        chunk: Actions per prediction, K.
        actions: Dimensions of an action, A.
        steps: Steps of Euler's method at inference.
    """

    def __init__(self, width: int, hidden: int, layers: int, chunk: int, actions: int, steps: int) -> None:
        super().__init__()
        self._shape, self._steps = (chunk, actions), steps
        self.noisy = nn.Linear(chunk * actions, hidden)
        self.condition = nn.Sequential(nn.Linear(width + TIME_WIDTH, hidden), nn.GELU())
        self.blocks = nn.ModuleList(ConditionedBlock(hidden) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)
        self.out = nn.Linear(hidden, chunk * actions)

    def losses(self, features: Tensor, actions: Tensor, valid: Tensor) -> Mapping[str, Tensor]:
        """The squared error of the velocity, for one noise and one time for each chunk.

        In evaluation mode these are always the same.
        """
        actions = torch.where(valid[..., None], actions, 0.0)  # else the velocity of others could depend on padding
        noise, time = self._draws(actions)
        at = time[:, None, None]
        errors = self._velocity(features, torch.lerp(noise, actions, at), time) - (actions - noise)
        loss = masked_mean(errors.square(), valid)
        return {"loss": loss, "flow": loss}

    def forward(self, features: Tensor, noise: Tensor | None) -> Tensor:
        assert noise is not None
        chunk, size = noise, 1 / self._steps
        for step in range(self._steps):
            time = torch.full((len(chunk),), step * size, device=chunk.device)
            chunk = chunk + size * self._velocity(features, chunk, time)
        return chunk

    def _velocity(self, features: Tensor, chunk: Tensor, time: Tensor) -> Tensor:
        """Shape (N, K, A) float32, for features (N, F), a noisy chunk (N, K, A) and times (N,)."""
        condition = self.condition(torch.cat((features, sinusoids(time).to(features.dtype)), dim=-1))
        hidden = self.noisy(chunk.flatten(1).to(features.dtype))
        for block in self.blocks:
            hidden = block(hidden, condition)
        with torch.autocast(hidden.device.type, enabled=False):  # cheap, and its output is the result
            return self.out(self.norm(hidden.float())).unflatten(-1, self._shape)  # type: ignore[no-any-return]

    def _draws(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Noise like the actions (N, K, A), and times (N,)."""
        if self.training:
            return torch.randn_like(actions), torch.rand(len(actions), device=actions.device)
        generator = torch.Generator(actions.device).manual_seed(0)
        noise = torch.randn(actions.shape, generator=generator, device=actions.device)
        return noise, torch.rand(len(actions), generator=generator, device=actions.device)


class ConditionedBlock(nn.Module):
    """A residual feed-forward block whose inputs are scaled and shifted by a condition (Perez et al., FiLM, 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.modulate = nn.Linear(width, 2 * width)
        self.layers = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, hidden: Tensor, condition: Tensor) -> Tensor:
        """Shape (N, D) and (N, D) -> (N, D)."""
        scale, shift = self.modulate(condition).chunk(2, dim=-1)
        return hidden + self.layers(self.norm(hidden) * (1 + scale) + shift)  # type: ignore[no-any-return]


def sinusoids(time: Tensor) -> Tensor:
    """Sines and cosines of times (N,) in [0, 1], shape (N, `TIME_WIDTH`)."""
    exponents = torch.linspace(0, 1, TIME_WIDTH // 2, device=time.device)
    periods = LONGEST_PERIOD * (SHORTEST_PERIOD / LONGEST_PERIOD) ** exponents
    angles = 2 * math.pi * time[:, None] / periods
    return torch.cat((angles.sin(), angles.cos()), dim=-1)
