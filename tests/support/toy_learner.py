"""A tiny policy that trains in a second, its presets, and the command that trains it in its own process."""

import time
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from ambidex.errors import UnknownNameError
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.policy import Policy
from ambidex.policies.registry import POLICIES, PRESETS, Preset, TrainingDefaults

NAME = "toy"


@dataclass(frozen=True, kw_only=True)
class ToyConfig:
    """Inputs of the toy, and its defects."""

    observations: str = "state"
    """state or images."""
    cameras: tuple[str, ...] = ()
    """Camera names; empty for all."""
    chunk_size: int = 5
    """Actions per prediction."""
    hidden: int = 16
    """Hidden width."""
    dropout: float = 0.1
    """Share of activations dropped in training."""
    nan_at: int = -1
    """Training call whose loss is not a number; -1 for none."""
    pause: float = 0.0
    """Shortest duration of a training call [s]."""
    pretrained: float = 0.0
    """Value of all pretrained weights of the eye; 0 loads none."""
    history: int = 1
    """Observations that it looks at: it learns from all, and acts by the newest."""
    stride: int = 1
    """Control steps between two of them."""


class ToyLearner(Policy):
    name = NAME
    config_type: ClassVar = ToyConfig

    def __init__(self, config, spec, statistics):
        super().__init__()
        objects = config.observations == "state"
        cameras = () if objects else config.cameras or spec.cameras
        self.config, self.spec, self.chunk_size = config, spec, config.chunk_size
        self.inputs = PolicyInputs(
            cameras=cameras, objects=objects, instruction=False, history=config.history, stride=config.stride
        )
        self.actions = len(spec.action_names)
        self.register_buffer("mean", torch.tensor(statistics.actions.mean))
        self.eye = nn.Linear(3 * max(1, len(cameras)), config.hidden)
        self.body = nn.Linear(len(spec.joint_names) + 7 * len(spec.object_names), config.hidden)
        self.norm = nn.LayerNorm(config.hidden)
        self.head = nn.Linear(config.hidden, config.chunk_size * self.actions)
        self.drop = nn.Dropout(config.dropout)
        self.calls = 0

    def losses(self, batch):
        if self.config.pause:
            time.sleep(self.config.pause)
        error = (self(batch.observation) - batch.actions).abs() * ~batch.is_pad[..., None]
        l1 = error.sum() / (~batch.is_pad).sum()
        if self.config.nan_at > 0 and self.training:
            self.calls += 1
            l1 = l1 * torch.nan if self.calls == self.config.nan_at else l1
        return {"loss": 2 * l1, "l1": l1}

    @torch.no_grad()
    def predict(self, observation):
        chunks = self(observation)
        return chunks if self.config.history == 1 else chunks[:, -1]

    def forward(self, observation):
        chunk = self.head(self.drop(torch.tanh(self.norm(self.hidden(observation)))))
        return self.mean + chunk.unflatten(-1, (self.chunk_size, self.actions))

    def hidden(self, observation):
        hidden = self.body(torch.cat([observation.qpos, observation.objects], -1))
        if self.inputs.cameras:
            images = [observation.images[camera].float().mean((-2, -1)) / 255 for camera in self.inputs.cameras]
            return hidden + self.eye(torch.cat(images, -1))
        return hidden + self.eye.bias

    def backbone_parameters(self):
        return list(self.eye.parameters())

    def load_pretrained(self):
        if self.config.pretrained:
            nn.init.constant_(self.eye.weight, self.config.pretrained)
            return f"The eye starts from {self.config.pretrained}."
        return ""


def preset(name, observations=None):
    if name != "base":
        raise UnknownNameError("preset of toy", name, ("base",))
    return Preset(
        config=ToyConfig(observations=observations or "state"),
        training=TrainingDefaults(
            steps=20,
            batch_size=4,
            learning_rate=1e-2,
            backbone_learning_rate=1e-3,
            weight_decay=1e-2,
            warmup_steps=3,
            schedule="cosine",
            gradient_clip=1.0,
            ema_decay=0.9,
        ),
    )


def register():
    """Register the toy, as one line in the registry would."""
    POLICIES[NAME] = "toy_learner:ToyLearner"
    PRESETS[NAME] = "toy_learner:preset"


if __name__ == "__main__":
    from ambidex.policies.train_policy import main

    register()
    main()
