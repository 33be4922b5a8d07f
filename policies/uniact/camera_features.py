"""Images to the features that interpreters look at."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.vision.image_normalization import ImageNormalization
from ambidex.policies.vision.resnet import Norm, ResNet18


class CameraFeatures(nn.Module):
    """One ResNet-18 for all cameras, apart from the extractor, called once.

    Args:
        width: Of its first layers; 64 as published.
        norm: See `ResNet18`.
    """

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.normalise = ImageNormalization()
        self.backbone = ResNet18(width, norm)

    def forward(self, images: Mapping[str, Tensor], cameras: tuple[str, ...]) -> Tensor:
        """Camera -> (B, 3, H, W) uint8, to the features of V of them, shape (B, V, C, H / 32, W / 32)."""
        batch = torch.stack([images[camera] for camera in cameras], dim=1)  # (B, V, 3, H, W)
        return self.backbone(self.normalise(batch.flatten(0, 1))).unflatten(0, (-1, len(cameras)))  # type: ignore[no-any-return]
