"""A small vision-language transformer that needs no pretrained weights: its sizes and its parts."""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.errors import UsageError
from ambidex.policies.vision.resnet import GroupNorm2d
from ambidex.policies.vision_language.tokenizers import FIRST_MERGED

STRIDE = 16  # pixels per token, in each direction
INITIAL_STD = 0.02  # of embeddings and positions


@dataclass(frozen=True, kw_only=True)
class ScratchShape:
    """Sizes of a model that is trained from scratch.

    Raises:
        UsageError: They do not go together.
    """

    image_size: int = 96
    """Side of the square to which an image is resized [px], a multiple of 16."""
    width: int = 96
    """Width of tokens."""
    layers: int = 3
    """Layers of the transformer."""
    heads: int = 4
    """Attention heads."""
    vocabulary: int = 512
    """Ids of the tokenizer, 259 or more."""

    def __post_init__(self) -> None:
        if self.image_size < STRIDE or self.image_size % STRIDE:
            raise UsageError(f"scratch.image_size must be a multiple of {STRIDE}, got {self.image_size}.")
        if self.layers < 1 or self.heads < 1 or self.width < 1 or self.width % (8 * self.heads):
            raise UsageError(
                "scratch.layers must be 1 or more and scratch.width a multiple of 8 times scratch.heads, got "
                f"{self.layers} layers, width {self.width} and {self.heads} heads."
            )
        if self.vocabulary < FIRST_MERGED:
            raise UsageError(f"scratch.vocabulary must be {FIRST_MERGED} or more, got {self.vocabulary}.")


class ImageTokens(nn.Module):
    """Pixels to tokens of a width divisible by 8: four convolutions of stride two, one token per remaining cell."""

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


class CausalLayer(nn.Module):
    """Causal self-attention and feed-forward, each with a norm before it and a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feedforward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor, past: list[Tensor] | None = None, visible: Tensor | None = None) -> Tensor:
        """Shape (B, S, D) -> the same.

        Args:
            tokens: All positions, or one more for each row.
            past: Keys and values of earlier positions, to which those of the tokens are added; at first empty.
            visible: Which of all positions one more sees, shape (B, 1, 1, positions).
        """
        tokens = tokens + self.out(self._attend(self.norm1(tokens), past, visible))
        return tokens + self.feedforward(self.norm2(tokens))  # type: ignore[no-any-return]

    def _attend(self, tokens: Tensor, past: list[Tensor] | None, visible: Tensor | None) -> Tensor:
        parts = self.query_key_value(tokens).chunk(3, dim=-1)  # (B, S, D) each
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)  # (B, heads, S, D / heads)
        if past is not None:
            k, v = (torch.cat((old, new), dim=2) for old, new in zip(past, (k, v), strict=True)) if past else (k, v)
            past[:] = k, v
        mixed = F.scaled_dot_product_attention(q, k, v, visible, is_causal=visible is None)
        return mixed.transpose(1, 2).flatten(2)
