"""Statistics of training data, with which inputs and outputs are normalised."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ambidex.envs.types import Float32Array

SMALLEST_STD = 1e-2  # what hardly moves must not be blown up; the original ACT clips at the same value
FIELDS = ("qpos", "objects", "actions")


@dataclass(frozen=True, kw_only=True)
class FieldStatistics:
    """Per dimension of one field, in its own units.

    Attributes:
        mean: Mean.
        std: Standard deviation, not clipped.
        minimum: Smallest value.
        maximum: Largest value.
        q01: 1 % quantile.
        q99: 99 % quantile.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    q01: tuple[float, ...]
    q99: tuple[float, ...]

    @classmethod
    def of(cls, values: Float32Array) -> Self:
        """Of rows, shape (N, D)."""
        rows = values.astype(np.float64)
        low, high = np.quantile(rows, (0.01, 0.99), axis=0)
        columns = (rows.mean(0), rows.std(0), rows.min(0), rows.max(0), low, high)
        mean, std, minimum, maximum, q01, q99 = (tuple(column.tolist()) for column in columns)
        return cls(mean=mean, std=std, minimum=minimum, maximum=maximum, q01=q01, q99=q99)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of the training episodes alone.

    Attributes:
        qpos: Of joint positions, J dimensions.
        objects: Of object poses, 7 * objects dimensions.
        actions: Of actions, A dimensions.
    """

    qpos: FieldStatistics
    objects: FieldStatistics
    actions: FieldStatistics


# FOLDED policies.normalization: Values of a field with mean 0 and standard deviation 1, and back.


class Normalization(nn.Module):
    """Keeps mean and standard deviation as buffers, so that a state dict is complete.

    Args:
        statistics: Of the training data, D dimensions. Standard deviations below `SMALLEST_STD` count as that.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, statistics: FieldStatistics) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(statistics.mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(statistics.std, dtype=torch.float32).clamp(min=SMALLEST_STD))

    def forward(self, values: Tensor) -> Tensor:
        """From the field's units, shape (..., D)."""
        return (values - self.mean) / self.std

    def inverse(self, values: Tensor) -> Tensor:
        """Back to the field's units, shape (..., D)."""
        return values * self.std + self.mean
