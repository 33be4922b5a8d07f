"""Images as an extractor wants them, on the device where they lie."""

import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor


def prepared(images: Tensor, size: int, mode: str) -> Tensor:
    """Square images in [-1, 1]; what is not square is squeezed.

    Args:
        images: Shape (B, 3, H, W) uint8.
        size: Side [px].
        mode: "bilinear" or "bicubic", with antialiasing.

    Returns:
        Shape (B, 3, size, size) float32.
    """
    values = images.float()
    if images.shape[-2:] != (size, size):
        values = F.interpolate(values, (size, size), mode=mode, antialias=True).clamp(0, 255)
    return values / 127.5 - 1
