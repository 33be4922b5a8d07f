"""Batch norm whose statistics and affine map never change."""

import torch
from torch import Tensor, nn

EPSILON = 1e-5


class FrozenBatchNorm2d(nn.Module):
    """Batch norm as buffers, the identity until weights are loaded. Small batches would spoil running statistics.

    Args:
        channels: C.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W) -> the same."""
        scale = self.weight * (self.running_var + EPSILON).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.view(-1, 1, 1).to(x.dtype) + shift.view(-1, 1, 1).to(x.dtype)
