"""What each camera is there for."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import permutations

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.transformer import Attention, image_positions
from ambidex.policies.vision.resnet import ImageNormalization, ResNet18


class CameraRole(StrEnum):
    """What a camera contributes."""

    WRIST_DETAIL = "wrist_detail"
    WRIST_CONTEXT = "wrist_context"
    GLOBAL_OVERVIEW = "global_overview"


GRIDS: Mapping[CameraRole, int] = {
    CameraRole.WRIST_DETAIL: 6,
    CameraRole.WRIST_CONTEXT: 4,
    CameraRole.GLOBAL_OVERVIEW: 2,
}  # tokens along each side of the view
KNOWN: Mapping[str, CameraRole] = {
    "left_wrist": CameraRole.WRIST_DETAIL,
    "right_wrist": CameraRole.WRIST_DETAIL,
    "robot0_eye_in_hand": CameraRole.WRIST_DETAIL,
    "front_close": CameraRole.WRIST_CONTEXT,
    "top": CameraRole.GLOBAL_OVERVIEW,
    "angle": CameraRole.GLOBAL_OVERVIEW,
    "agentview": CameraRole.GLOBAL_OVERVIEW,
}


def roles_of(cameras: tuple[str, ...], overrides: tuple[str, ...]) -> tuple[CameraRole, ...]:
    """The role of each camera.

    Args:
        cameras: Camera names.
        overrides: "NAME=ROLE", which go before the known ones.

    Raises:
        UsageError: An override is not of that form.
        UnknownNameError: A camera or a role is not known.
    """
    table = {**KNOWN, **dict(_parse(text) for text in overrides)}
    for camera in cameras:
        if camera not in table:
            raise UnknownNameError("role of camera (say it with camera_roles NAME=ROLE)", camera, table)
    return tuple(table[camera] for camera in cameras)


def _parse(text: str) -> tuple[str, CameraRole]:
    camera, equals, role = text.partition("=")
    if not (camera and equals):
        raise UsageError(f"camera_roles: expected NAME=ROLE, got {text!r}. Roles: {', '.join(CameraRole)}.")
    if role not in set(CameraRole):
        raise UnknownNameError("camera role", role, CameraRole)
    return camera, CameraRole(role)


# FOLDED policies.act.camera_encoder: Images to tokens.


class CameraEncoder(nn.Module):
    """One backbone for all cameras, called once, and a 1x1 convolution to the width of tokens.

    Args:
        config: Sizes.
        cameras: Camera names, C of them.
    """

    def __init__(self, config: ActConfig, cameras: tuple[str, ...]) -> None:
        super().__init__()
        self.cameras = cameras
        self.normalise = ImageNormalization()
        self.backbone = ResNet18(config.backbone_width, config.backbone_norm)
        self.project = nn.Conv2d(self.backbone.channels, config.d_model, 1)
        nn.init.xavier_uniform_(self.project.weight)
        self.tokens = PooledTokens(config, cameras) if config.pools_cameras else GridTokens()

    def forward(self, images: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Camera -> (B, 3, H, W) uint8, to tokens (B, S, D) and their positions (S, D)."""
        batch = torch.cat([images[camera] for camera in self.cameras])  # (C * B, 3, H, W)
        features = self.project(self.backbone(self.normalise(batch)))  # (C * B, D, H / 32, W / 32)
        return self.tokens(features.unflatten(0, (len(self.cameras), -1)))  # type: ignore[no-any-return]


# FOLDED policies.act.grid_tokens: Feature maps to tokens, one for each cell, as in the original.


class GridTokens(nn.Module):
    """Every cell of every camera's feature map is a token; cells at the same place share a position."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (C, B, D, h, w) -> tokens (B, C * h * w, D) and positions (C * h * w, D)."""
        cameras, _, d, h, w = features.shape
        tokens = features.flatten(3).permute(1, 0, 3, 2).flatten(1, 2)  # (B, C * h * w, D)
        positions = image_positions(h, w, d, features.device).to(features.dtype)  # (h * w, D)
        return tokens, positions.repeat(cameras, 1)


# FOLDED policies.act.pooled_tokens: Feature maps to a few tokens, as many as the camera's role needs.


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


# FOLDED policies.act.camera_attention: Attention between cameras of different roles.


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


# FOLDED policies.act.role_attention: What one role of cameras takes from another.


class RoleAttention(nn.Module):
    """Gated cross-attention from a source role to a target role, with projections and norms of its own.

    The gate starts at zero, so that training starts from the model without it; then the gate alone has a gradient,
    and once it is open everything has.

    Args:
        config: Sizes.
    """

    def __init__(self, config: ActConfig) -> None:
        super().__init__()
        self.norm_target = nn.LayerNorm(config.d_model)
        self.norm_source = nn.LayerNorm(config.d_model)
        self.attention = Attention(config.d_model, config.heads, config.dropout)
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, target: Tensor, target_places: Tensor, source: Tensor, source_places: Tensor) -> Tensor:
        """Queries from target (B, T, D), keys and values from source (B, S, D), with positions -> (B, T, D)."""
        query, value = self.norm_target(target), self.norm_source(source)
        return self.gate * self.attention(query + target_places, value + source_places, value)  # type: ignore[no-any-return]
