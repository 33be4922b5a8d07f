"""Images to tokens."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.grid_tokens import GridTokens
from ambidex.policies.act.pooled_tokens import PooledTokens
from ambidex.policies.vision.image_normalization import ImageNormalization
from ambidex.policies.vision.resnet import ResNet18


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
