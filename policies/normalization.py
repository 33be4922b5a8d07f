"""Values of a field with mean 0 and standard deviation 1, and back."""

import torch
from torch import Tensor, nn

from ambidex.policies.statistics import SMALLEST_STD, FieldStatistics


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
