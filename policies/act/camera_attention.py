"""Attention between cameras of different roles."""

from itertools import permutations

import torch
from torch import Tensor, nn

from ambidex.policies.act.camera_roles import CameraRole
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.role_attention import RoleAttention


class CameraAttention(nn.Module):
    """Tokens of each role look at the tokens of every other role, each directed pair of roles with its own weights.

    Cameras of one role make up one set of tokens. A role without cameras has no pairs; with one role alone nothing
    happens. Before training it changes nothing, for every gate is zero.

    Args:
        config: Sizes.
        roles: Role of each camera.
    """

    def __init__(self, config: ActConfig, roles: tuple[CameraRole, ...]) -> None:
        super().__init__()
        self.roles = roles
        present = [role for role in CameraRole if role in roles]
        names = [_name(source, target) for source, target in permutations(present, 2)]
        self.pairs = nn.ModuleDict({name: RoleAttention(config) for name in names})

    def forward(self, tokens: list[Tensor], positions: list[Tensor]) -> list[Tensor]:
        """Tokens (B, S_c, D) and positions (S_c, D) of each camera c; gives tokens of the same shapes."""
        return [tokens[c] + self._heard(c, tokens, positions) for c in range(len(tokens))]

    def _heard(self, camera: int, tokens: list[Tensor], positions: list[Tensor]) -> Tensor:
        """What a camera's tokens learn from other roles, shape (B, S_c, D)."""
        target = self.roles[camera]
        heard = torch.zeros_like(tokens[camera])
        for source in dict.fromkeys(role for role in self.roles if role != target):
            members = [c for c, role in enumerate(self.roles) if role == source]
            seen = torch.cat([tokens[c] for c in members], dim=1)  # (B, S_source, D)
            places = torch.cat([positions[c] for c in members])  # (S_source, D)
            heard = heard + self.pairs[_name(source, target)](tokens[camera], positions[camera], seen, places)
        return heard


def _name(source: CameraRole, target: CameraRole) -> str:
    return f"{source}_to_{target}"
