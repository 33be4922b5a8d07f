"""uint8 images to what a network trained on ImageNet expects."""

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageNormalization(nn.Module):
    """(image / 255 - mean) / std with ImageNet's figures, on the device where the image lies."""

    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
        self.register_buffer("scale", 1 / (255 * std), persistent=False)
        self.register_buffer("shift", -mean / std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Shape (N, 3, H, W) uint8 -> (N, 3, H, W) float32, channels last in memory."""
        return torch.addcmul(self.shift, images.to(memory_format=torch.channels_last).float(), self.scale)
