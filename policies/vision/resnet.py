"""ResNet-18 without its classifier, in plain torch; its state dict has torchvision's names (docs/decisions/0011).

Source: He et al., "Deep Residual Learning for Image Recognition", 2015.
"""

from typing import Literal

import torch
from torch import Tensor, nn

PUBLISHED_WIDTH = 64
GROUPS = 8
EPSILON = 1e-5
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Norm = Literal["frozen", "group", "layer"]


class ImageNormalization(nn.Module):
    """Normalises uint8 images with ImageNet's statistics, (image / 255 - mean) / std, on their device."""

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


class ResNet18(nn.Module):
    """Images to a feature map with a 32nd of their height and width; see `norm_layer` for the norm.

    The first layers have `width` channels, 64 as published.

    Attributes:
        channels: Channels of the feature map, 8 * width.
    """

    def __init__(self, width: int = PUBLISHED_WIDTH, norm: Norm = "frozen") -> None:
        super().__init__()
        self.width, self.norm, self.channels = width, norm, 8 * width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm_layer(norm, width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(width, width, 1, norm)
        self.layer2 = self._stage(width, 2 * width, 2, norm)
        self.layer3 = self._stage(2 * width, 4 * width, 2, norm)
        self.layer4 = self._stage(4 * width, 8 * width, 2, norm)
        self._initialise()

    def forward(self, images: Tensor) -> Tensor:
        """Shape (N, 3, H, W), normalised -> (N, 8 * width, H / 32, W / 32)."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))  # (N, width, H / 4, W / 4)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))  # type: ignore[no-any-return]

    @staticmethod
    def _stage(channels_in: int, channels: int, stride: int, norm: Norm) -> nn.Sequential:
        return nn.Sequential(BasicBlock(channels_in, channels, stride, norm), BasicBlock(channels, channels, 1, norm))

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it, its stubs do not


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut around them."""

    def __init__(self, channels_in: int, channels: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = norm_layer(norm, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = norm_layer(norm, channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(Shortcut(channels_in, channels, stride), norm_layer(norm, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C_in, H, W) -> (N, C, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Shortcut(nn.Conv2d):
    """A 1x1 convolution of every stride-th pixel.

    The pixels are selected before it: with a stride of its own and fewer than 16 channels last in memory, the gradient
    of its weights is written past its memory on a CPU with several threads (oneDNN issue 6035), and the process dies.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__(channels_in, channels, 1, bias=False)
        self.every = stride

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C_in, H, W) -> (N, C, H / stride, W / stride)."""
        return super().forward(x[:, :, :: self.every, :: self.every])


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Frozen batch norm for published weights; group norm or layer norm (one group) to train from scratch."""
    if norm == "frozen":
        return FrozenBatchNorm2d(channels)
    return GroupNorm2d(min(GROUPS, channels) if norm == "group" else 1, channels)


class FrozenBatchNorm2d(nn.Module):
    """Batch norm whose statistics and affine map are buffers and never change, as small batches would spoil them.

    It is the identity until weights are loaded.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W) -> the same."""
        scale = self.weight * (self.running_var + EPSILON).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.view(-1, 1, 1).to(x.dtype) + shift.view(-1, 1, 1).to(x.dtype)


class GroupNorm2d(nn.GroupNorm):
    """Group norm that is fast for images with channels last in memory.

    With several groups torch's backward pass takes ten times longer for them on a CPU (up to 18 ms against 1.5 for
    1.2 M activations in bf16), a quarter of a training step of the tiny preset. So there the memory format is changed
    for the norm, and back.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W) -> the same."""
        if x.device.type != "cpu" or self.num_groups == 1:
            return super().forward(x)
        return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)
