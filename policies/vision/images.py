"""Preparation of images for the image encoders of vision-language models."""

import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor


def prepare_images(images: Tensor, size: int, mode: str) -> Tensor:
    """Square images (B, 3, size, size) float32 in [-1, 1], on the device of the images; other shapes are squeezed.

    The images have shape (B, 3, H, W) uint8; the mode is "bilinear" or "bicubic", with antialiasing.
    """
    values = images.float()
    if images.shape[-2:] != (size, size):
        values = F.interpolate(values, (size, size), mode=mode, antialias=True).clamp(0, 255)
    return values / 127.5 - 1
