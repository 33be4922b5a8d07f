"""Feature maps to tokens, one for each cell, as in the original."""

from torch import Tensor, nn

from ambidex.policies.act.positions import image_positions


class GridTokens(nn.Module):
    """Every cell of every camera's feature map is a token; cells at the same place share a position."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (C, B, D, h, w) -> tokens (B, C * h * w, D) and positions (C * h * w, D)."""
        cameras, _, d, h, w = features.shape
        tokens = features.flatten(3).permute(1, 0, 3, 2).flatten(1, 2)  # (B, C * h * w, D)
        positions = image_positions(h, w, d, features.device).to(features.dtype)  # (h * w, D)
        return tokens, positions.repeat(cameras, 1)
