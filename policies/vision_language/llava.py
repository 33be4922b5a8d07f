"""Sizes of LLaVA-OneVision, and its configuration for transformers."""

from dataclasses import dataclass
from typing import Any

from ambidex.errors import UsageError

ROPE_THETA = 1_000_000.0  # Qwen2's
MAX_TOKENS = 32_768  # of Qwen2
IMAGE_STATISTICS = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # of the image preparation of this project


@dataclass(frozen=True, kw_only=True)
class LlavaShape:
    """Sizes of LLaVA-OneVision; the defaults are those of llava-onevision-qwen2-0.5b-ov.

    Raises:
        UsageError: They do not go together.
    """

    vocabulary: int = 152_000
    """Ids of the language model."""
    video_token: int = 151_647
    """Id that stands for a piece of the image."""
    image_token: int = 151_646
    """Id that stands for a piece of a still image, which is not used."""
    width: int = 896
    """Width of the language model's tokens."""
    layers: int = 24
    """Layers of the language model."""
    heads: int = 14
    """Its attention heads."""
    key_value_heads: int = 2
    """Its heads of keys and values."""
    feedforward: int = 4864
    """Hidden width of its feed-forward layers."""
    image_size: int = 384
    """Side of the square to which an image is resized [px]."""
    patch: int = 14
    """Side of a patch [px]."""
    vision_width: int = 1152
    """Width of the image encoder's tokens."""
    vision_layers: int = 26
    """Layers of the image encoder."""
    vision_heads: int = 16
    """Its attention heads."""
    vision_feedforward: int = 4304
    """Hidden width of its feed-forward layers."""

    def __post_init__(self) -> None:
        if self.width % self.heads or self.vision_width % self.vision_heads or self.heads % self.key_value_heads:
            raise UsageError(
                "llava.width must be a multiple of llava.heads, llava.heads of llava.key_value_heads, and "
                f"llava.vision_width of llava.vision_heads, got {self}."
            )
        if not 0 <= self.video_token < self.vocabulary or not 0 <= self.image_token < self.vocabulary:
            raise UsageError(f"llava.video_token and llava.image_token must be below llava.vocabulary, got {self}.")

    @property
    def image_tokens(self) -> int:
        """Tokens of the image: a quarter of the patches, rounded up in each direction, and one that ends it."""
        side = self.image_size // self.patch
        return (-(-side // 2)) ** 2 + 1


def llava_values(shape: LlavaShape) -> dict[str, Any]:
    """The settings that affect the computation, as in config.json."""
    return {
        "image_token_index": shape.image_token,
        "video_token_index": shape.video_token,
        "image_grid_pinpoints": [[shape.image_size, shape.image_size]],
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": "full",
        "projector_hidden_act": "gelu",
        "text_config": {
            "model_type": "qwen2",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.key_value_heads,
            "intermediate_size": shape.feedforward,
            "max_position_embeddings": MAX_TOKENS,
            "rms_norm_eps": 1e-6,
            "hidden_act": "silu",
            "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_THETA},
            "use_cache": False,
        },
        "vision_config": {
            "model_type": "siglip_vision_model",
            "image_size": shape.image_size,
            "patch_size": shape.patch,
            "hidden_size": shape.vision_width,
            "num_hidden_layers": shape.vision_layers,
            "num_attention_heads": shape.vision_heads,
            "intermediate_size": shape.vision_feedforward,
            "layer_norm_eps": 1e-6,
            "hidden_act": "gelu_pytorch_tanh",
            "vision_use_head": False,
        },
    }


def llava_config(shape: LlavaShape) -> Any:
    """A LlavaOnevisionConfig."""
    from transformers import LlavaOnevisionConfig

    return LlavaOnevisionConfig(**llava_values(shape))
