"""Images to tokens: one backbone for all cameras, a grid or a few pooled tokens each, and attention between roles.

C cameras, B samples, D d_model, S tokens.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import permutations

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.errors import UnknownNameError, UsageError, check_name
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
}  # pooled tokens along each side of the image
KNOWN_ROLES: Mapping[str, CameraRole] = {
    "left_wrist": CameraRole.WRIST_DETAIL,
    "right_wrist": CameraRole.WRIST_DETAIL,
    "robot0_eye_in_hand": CameraRole.WRIST_DETAIL,
    "front_close": CameraRole.WRIST_CONTEXT,
    "top": CameraRole.GLOBAL_OVERVIEW,
    "angle": CameraRole.GLOBAL_OVERVIEW,
    "agentview": CameraRole.GLOBAL_OVERVIEW,
}


class CameraEncoder(nn.Module):
    """One backbone for all cameras, called once, and a 1x1 convolution to the width of tokens."""

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


class GridTokens(nn.Module):
    """Every cell of every camera's feature map is a token, as in the original; equal cells share a position."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (C, B, D, h, w) -> tokens (B, C * h * w, D) and positions (C * h * w, D)."""
        cameras, _, d, h, w = features.shape
        tokens = features.flatten(3).permute(1, 0, 3, 2).flatten(1, 2)  # (B, C * h * w, D)
        positions = image_positions(h, w, d, features.device).to(features.dtype)  # (h * w, D)
        return tokens, positions.repeat(cameras, 1)


class PooledTokens(nn.Module):
    """A small grid of tokens for each camera, by its role, then optionally attention between cameras."""

    def __init__(self, config: ActConfig, cameras: tuple[str, ...]) -> None:
        super().__init__()
        self.roles = roles_of(cameras, config.camera_roles)
        self.places = nn.Embedding(len(cameras), config.d_model)  # one for each camera
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


class CameraAttention(nn.Module):
    """Tokens of each role attend to the tokens of every other role, each directed pair with its own weights.

    Cameras of one role form one set of tokens. A role without cameras has no pairs; with one role only the tokens stay
    as they are. They also do before training, as every gate is zero.
    """

    def __init__(self, config: ActConfig, roles: tuple[CameraRole, ...]) -> None:
        super().__init__()
        self.roles = roles
        present = [role for role in CameraRole if role in roles]
        names = [_pair_name(source, target) for source, target in permutations(present, 2)]
        self.pairs = nn.ModuleDict({name: RoleAttention(config) for name in names})

    def forward(self, tokens: list[Tensor], positions: list[Tensor]) -> list[Tensor]:
        """Tokens (B, S_c, D) and positions (S_c, D) of each camera c -> tokens of the same shapes."""
        return [tokens[c] + self._attend(c, tokens, positions) for c in range(len(tokens))]

    def _attend(self, camera: int, tokens: list[Tensor], positions: list[Tensor]) -> Tensor:
        """Sum of a camera's attention to each other role, shape (B, S_c, D)."""
        target = self.roles[camera]
        total = torch.zeros_like(tokens[camera])
        for source in dict.fromkeys(role for role in self.roles if role != target):
            members = [c for c, role in enumerate(self.roles) if role == source]
            source_tokens = torch.cat([tokens[c] for c in members], dim=1)  # (B, S_source, D)
            source_positions = torch.cat([positions[c] for c in members])  # (S_source, D)
            pair = self.pairs[_pair_name(source, target)]
            total = total + pair(tokens[camera], positions[camera], source_tokens, source_positions)
        return total


class RoleAttention(nn.Module):
    """Gated cross-attention from a source role to a target role, with its own projections and norms.

    The gate starts at zero, so training starts from the model without it: at first the gate alone has a gradient, and
    once it is open everything has.
    """

    def __init__(self, config: ActConfig) -> None:
        super().__init__()
        self.norm_target = nn.LayerNorm(config.d_model)
        self.norm_source = nn.LayerNorm(config.d_model)
        self.attention = Attention(config.d_model, config.heads, config.dropout)
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, target: Tensor, target_positions: Tensor, source: Tensor, source_positions: Tensor) -> Tensor:
        """Queries from target (B, T, D), keys and values from source (B, S, D), with positions -> (B, T, D)."""
        query, value = self.norm_target(target), self.norm_source(source)
        attended = self.attention(query + target_positions, value + source_positions, value)
        return self.gate * attended  # type: ignore[no-any-return]


def roles_of(cameras: tuple[str, ...], overrides: tuple[str, ...]) -> tuple[CameraRole, ...]:
    """The role of each camera; overrides NAME=ROLE take precedence over `KNOWN_ROLES`.

    Raises:
        UsageError: An override has another form.
        UnknownNameError: A camera or a role is not known.
    """
    table = {**KNOWN_ROLES, **dict(_parse_role(text) for text in overrides)}
    for camera in cameras:
        check_name("role of camera (set it with camera_roles NAME=ROLE)", camera, table)
    return tuple(table[camera] for camera in cameras)


def _parse_role(text: str) -> tuple[str, CameraRole]:
    camera, equals, role = text.partition("=")
    if not (camera and equals):
        problem = f"camera_roles: expected NAME=ROLE, got {text!r}."
        raise UsageError(problem, f"Roles: {', '.join(CameraRole)}.", field="camera_roles", got=text)
    if role not in set(CameraRole):
        raise UnknownNameError("camera role", role, CameraRole)
    return camera, CameraRole(role)


def _pair_name(source: CameraRole, target: CameraRole) -> str:
    return f"{source}_to_{target}"
