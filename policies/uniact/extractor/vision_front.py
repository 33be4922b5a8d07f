"""Pixels to tokens for a transformer that has seen no image yet."""

from itertools import pairwise

from torch import Tensor, nn

from ambidex.policies.vision.group_norm import GroupNorm2d


class VisionFront(nn.Module):
    """Four convolutions of stride two, each halving height and width, and a token for each cell that is left.

    Args:
        width: Width of tokens, D; a multiple of 8.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = (3, width // 8, width // 4, width // 2, width)
        layers: list[nn.Module] = []
        for inside, outside in pairwise(channels):
            layers += [nn.Conv2d(inside, outside, 3, 2, padding=1, bias=False), GroupNorm2d(1, outside), nn.GELU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Shape (B, 3, S, S) -> (B, S / 16 * S / 16, D)."""
        return self.layers(images).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]
