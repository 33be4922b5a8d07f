"""Feature maps to a few tokens, as many as the camera's role needs."""

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.policies.act.camera_attention import CameraAttention
from ambidex.policies.act.camera_roles import GRIDS, roles_of
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.positions import image_positions


class PooledTokens(nn.Module):
    """A grid of tokens for each camera, then optionally attention between cameras of different roles.

    Args:
        config: Sizes, and the roles of cameras beside the known ones.
        cameras: Camera names, C of them.
    """

    def __init__(self, config: ActConfig, cameras: tuple[str, ...]) -> None:
        super().__init__()
        self.roles = roles_of(cameras, config.camera_roles)
        self.places = nn.Embedding(len(cameras), config.d_model)  # which camera a token comes from
        self.attention = CameraAttention(config, self.roles) if config.camera_attention else None

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (C, B, D, h, w) -> tokens (B, S, D) and positions (S, D), S the sum of the cameras' grids."""
        tokens = [self._pool(maps, GRIDS[role]) for maps, role in zip(features, self.roles, strict=True)]
        positions = [
            (image_positions(GRIDS[role], GRIDS[role], features.shape[2], features.device) + place).to(features.dtype)
            for role, place in zip(self.roles, self.places.weight, strict=True)
        ]
        if self.attention is not None:
            tokens = self.attention(tokens, positions)
        return torch.cat(tokens, dim=1), torch.cat(positions)

    @staticmethod
    def _pool(maps: Tensor, grid: int) -> Tensor:
        """Shape (B, D, h, w) -> (B, grid * grid, D)."""
        return F.adaptive_avg_pool2d(maps, grid).flatten(2).transpose(1, 2)
