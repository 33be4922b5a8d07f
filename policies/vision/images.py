"""Preparation of images for the image encoders of vision-language models."""

from collections.abc import Sequence

import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor

HALF = (0.5, 0.5, 0.5)


def prepare_images(
    images: Tensor, size: int, mode: str, mean: Sequence[float] = HALF, std: Sequence[float] = HALF
) -> Tensor:
    """Square images (B, 3, size, size) float32, on the device of the images; other shapes are squeezed.

    Args:
        images: Shape (B, 3, H, W) uint8.
        size: Side of the result [px].
        mode: "bilinear" or "bicubic", with antialiasing.
        mean: Subtracted from values in [0, 1], one for each channel. With the default the result is in [-1, 1].
        std: Then divided by.
    """
    values = images.float()
    if images.shape[-2:] != (size, size):
        values = F.interpolate(values, (size, size), mode=mode, antialias=True).clamp(0, 255)
    if tuple(mean) == tuple(std) == HALF:
        return values / 127.5 - 1
    return (values / 255 - values.new_tensor(mean)[:, None, None]) / values.new_tensor(std)[:, None, None]
