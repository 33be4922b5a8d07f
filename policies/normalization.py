"""Statistics of training data, and the layer that normalises with them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ambidex.envs.types import Float32Array

SMALLEST_STD = 1e-2  # keeps dimensions that hardly move from being scaled up; the original ACT clips at the same value


@dataclass(frozen=True, kw_only=True)
class FieldStatistics:
    """Statistics of one field, per dimension, in its own units; `std` is not clipped, q01 is the 1 % quantile."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    q01: tuple[float, ...]
    q99: tuple[float, ...]

    @classmethod
    def of(cls, values: Float32Array) -> Self:
        """Statistics of rows, shape (N, D)."""
        rows = values.astype(np.float64)
        low, high = np.quantile(rows, (0.01, 0.99), axis=0)
        columns = (rows.mean(0), rows.std(0), rows.min(0), rows.max(0), low, high)
        mean, std, minimum, maximum, q01, q99 = (tuple(column.tolist()) for column in columns)
        return cls(mean=mean, std=std, minimum=minimum, maximum=maximum, q01=q01, q99=q99)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of the training episodes; held-out episodes are not included."""

    qpos: FieldStatistics
    objects: FieldStatistics
    actions: FieldStatistics


class Normalization(nn.Module):
    """Scales values to mean 0 and standard deviation 1, and back.

    Mean and standard deviation, clipped at `SMALLEST_STD`, are buffers, so a state dict is complete.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, statistics: FieldStatistics) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(statistics.mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(statistics.std, dtype=torch.float32).clamp(min=SMALLEST_STD))

    def forward(self, values: Tensor) -> Tensor:
        """Normalise values in the field's units, shape (..., D)."""
        return (values - self.mean) / self.std

    def inverse(self, values: Tensor) -> Tensor:
        """Un-normalise values, shape (..., D)."""
        return values * self.std + self.mean


@torch.no_grad()
def rescale_inputs(layer: nn.Linear, old: Normalization, new: Normalization) -> None:
    """Change a layer for inputs normalised by `old` so that it takes them normalised by `new`, D dimensions each."""
    layer.bias.add_(layer.weight @ ((new.mean - old.mean) / old.std))
    layer.weight.mul_(new.std / old.std)
