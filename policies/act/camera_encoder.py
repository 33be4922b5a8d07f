"""Images to tokens."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.positions import image_positions
from ambidex.policies.image_normalization import ImageNormalization
from ambidex.policies.resnet import ResNet18


class CameraEncoder(nn.Module):
    """One backbone for all cameras; every cell of the feature maps becomes a token.

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

    def forward(self, images: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Camera -> (B, 3, H, W) uint8, to tokens (B, S, D) and their positions (S, D); S = C * H / 32 * W / 32."""
        batch = torch.cat([images[camera] for camera in self.cameras])  # (C * B, 3, H, W), one call for all
        features = self.project(self.backbone(self.normalise(batch)))  # (C * B, D, h, w)
        _, d, h, w = features.shape
        tokens = features.flatten(2).transpose(1, 2).unflatten(0, (len(self.cameras), -1))  # (C, B, h * w, D)
        tokens = tokens.transpose(0, 1).flatten(1, 2)  # (B, C * h * w, D)
        positions = image_positions(h, w, d).to(features)  # (h * w, D), the same in every camera
        return tokens, positions.repeat(len(self.cameras), 1)
