"""A complete policy in one file: an MLP that predicts a chunk. Copy it to policies/<name>.py and change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Normalization, Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.registry import Preset, TrainingDefaults


@dataclass(frozen=True, kw_only=True)
class MlpConfig:
    """Settings of the MLP. Every field becomes a flag of train-policy, its docstring the help."""

    chunk_size: int = 50
    """Actions per prediction."""
    hidden: int = 512
    """Hidden width."""


class MlpPolicy(Policy):
    """Joint positions and object poses to a chunk of actions, by a multi-layer perceptron."""

    name = "mlp"
    config_type: ClassVar[type[MlpConfig]] = MlpConfig

    def __init__(self, config: MlpConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        self.spec, self.chunk_size = spec, config.chunk_size
        self.inputs = PolicyInputs(cameras=(), objects=True, instruction=False)
        self.qpos, self.objects = Normalization(statistics.qpos), Normalization(statistics.objects)
        self.actions = Normalization(statistics.actions)
        inputs, outputs = len(spec.joint_names) + 7 * len(spec.object_names), len(spec.action_names)
        self.layers = nn.Sequential(
            nn.Linear(inputs, config.hidden), nn.ReLU(), nn.Linear(config.hidden, config.hidden), nn.ReLU()
        )
        self.head = nn.Linear(config.hidden, config.chunk_size * outputs)

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """L1 over actions within the episode, in normalised units."""
        valid = ~batch.is_pad[..., None]  # (B, K, 1)
        error = (self._run(batch.observation) - self.actions(batch.actions)).abs() * valid  # (B, K, A)
        return {"loss": error.sum() / (valid.sum() * error.shape[-1])}

    @torch.no_grad()
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A)."""
        return self.actions.inverse(self._run(observation))

    def _run(self, observation: ObservationBatch) -> Tensor:
        x = torch.cat((self.qpos(observation.qpos), self.objects(observation.objects)), dim=-1)  # (B, J + O)
        chunk: Tensor = self.head(self.layers(x)).unflatten(-1, (self.chunk_size, -1))  # (B, K, A)
        return chunk.float()


WIDTHS = {"tiny": 256, "base": 512, "paper": 1024}
TRAINING = TrainingDefaults(
    steps=5000,
    batch_size=64,
    learning_rate=1e-3,
    backbone_learning_rate=0.0,
    weight_decay=1e-4,
    warmup_steps=100,
    schedule="cosine",
    gradient_clip=10.0,
    ema_decay=0.0,
)


def preset(name: str, observations: str | None = None) -> Preset[MlpConfig]:
    """The presets tiny, base and paper; observations are always states."""
    return Preset(config=MlpConfig(hidden=WIDTHS[name]), training=TRAINING)
