"""Fixed positions of tokens: sines and cosines of geometrically spaced frequencies."""

import math

import torch
from torch import Tensor

TEMPERATURE = 10_000.0


def sequence_positions(length: int, d_model: int) -> Tensor:
    """Of tokens in a row, shape (length, d_model); source: Vaswani et al., "Attention Is All You Need", 2017."""
    return _waves(torch.arange(length, dtype=torch.float32), d_model)


def image_positions(height: int, width: int, d_model: int, device: torch.device | None = None) -> Tensor:
    """Of the cells of an image, row by row, shape (height * width, d_model); source: DETR (Carion et al., 2020).

    The first half of a token tells the row and the second the column, both scaled so that the last is at 2 pi.
    """
    rows = torch.arange(1, height + 1, device=device) / height * 2 * math.pi
    columns = torch.arange(1, width + 1, device=device) / width * 2 * math.pi
    y = _waves(rows, d_model // 2)[:, None].expand(height, width, -1)
    x = _waves(columns, d_model // 2)[None].expand(height, width, -1)
    return torch.cat((y, x), dim=-1).flatten(0, 1)


def _waves(places: Tensor, d: int) -> Tensor:
    """Shape (N,) -> (N, d), sine and cosine in turn."""
    wavelengths = TEMPERATURE ** (torch.arange(0, d, 2, device=places.device) / d)  # (d / 2,)
    angles = places[:, None] / wavelengths  # (N, d / 2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
