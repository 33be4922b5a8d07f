"""Sizes of the extractor that is trained from scratch."""

from dataclasses import dataclass

from ambidex.errors import UsageError
from ambidex.policies.uniact.extractor.byte_tokenizer import FIRST_MERGED

STRIDE = 16  # pixels per token, in each direction


@dataclass(frozen=True, kw_only=True)
class ScratchShape:
    """Sizes of the extractor that is trained from scratch.

    Raises:
        UsageError: They do not go together.
    """

    image_size: int = 96
    """Side of the square that the main camera's image becomes [px], a multiple of 16."""
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
            raise UsageError(f"UniAct: scratch.image_size must be a multiple of {STRIDE}, got {self.image_size}.")
        if self.layers < 1 or self.heads < 1 or self.width < 1 or self.width % (8 * self.heads):
            raise UsageError(
                "UniAct: scratch.layers must be 1 or more and scratch.width a multiple of 8 times scratch.heads, got "
                f"{self.layers} layers, width {self.width} and {self.heads} heads."
            )
        if self.vocabulary < FIRST_MERGED:
            raise UsageError(f"UniAct: scratch.vocabulary must be {FIRST_MERGED} or more, got {self.vocabulary}.")
