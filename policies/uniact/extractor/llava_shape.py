"""Sizes of LLaVA-OneVision."""

from dataclasses import dataclass

from ambidex.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class LlavaShape:
    """Sizes of LLaVA-OneVision; the defaults are those of llava-onevision-qwen2-0.5b-ov.

    Raises:
        UsageError: They do not go together.
    """

    vocabulary: int = 152_000
    """Ids of the language model."""
    video_token: int = 151_647
    """The id that stands for a piece of the image."""
    image_token: int = 151_646
    """The id that stands for a piece of a still image, which is not used."""
    width: int = 896
    """Width of the language model's tokens."""
    layers: int = 24
    """Its layers."""
    heads: int = 14
    """Its attention heads."""
    key_value_heads: int = 2
    """Its heads of keys and values."""
    feedforward: int = 4864
    """Hidden width of its feed-forward layers."""
    image_size: int = 384
    """Side of the square that the main camera's image becomes [px]."""
    patch: int = 14
    """Side of a patch [px]."""
    vision_width: int = 1152
    """Width of the image encoder's tokens."""
    vision_layers: int = 26
    """Its layers."""
    vision_heads: int = 16
    """Its attention heads."""
    vision_feedforward: int = 4304
    """Hidden width of its feed-forward layers."""

    def __post_init__(self) -> None:
        if self.width % self.heads or self.vision_width % self.vision_heads or self.heads % self.key_value_heads:
            raise UsageError(
                "UniAct: llava.width must be a multiple of llava.heads, llava.heads of llava.key_value_heads, and "
                f"llava.vision_width of llava.vision_heads, got {self}."
            )
        if not 0 <= self.video_token < self.vocabulary or not 0 <= self.image_token < self.vocabulary:
            raise UsageError(
                f"UniAct: llava.video_token and llava.image_token must be below llava.vocabulary, got {self}."
            )

    @property
    def image_tokens(self) -> int:
        """Tokens of the image: a quarter of the patches, rounded up in each direction, and one that ends it."""
        side = self.image_size // self.patch
        return (-(-side // 2)) ** 2 + 1
