"""Kosmos-2: CLIP's image encoder, 64 latent queries for each image, and a decoder with fixed positions.

Source: Peng et al., "Kosmos-2: Grounding Multimodal Large Language Models to the World", ICLR 2024.
"""

from collections.abc import Mapping
from typing import ClassVar

from ambidex.policies.robovlms.backbones.pretrained import CLIP_MEAN, CLIP_STD, ModelSize, PretrainedBackbone


class Kosmos2(PretrainedBackbone):
    """Image features are normalised to unit length before their projection. Transformers has no flash-attn for it."""

    architecture = "Kosmos2Model"
    repository = "microsoft/kosmos-2-patch14-224"
    towers = ("vision_model", "text_model")
    special_tokens = ("<s>", "<image>", "</image>", "<grounding>")
    image_mean, image_std = CLIP_MEAN, CLIP_STD
    flash = False
    first_position = 2  # after the one of padding
    sizes: ClassVar[Mapping[str, ModelSize]] = {
        "published": ModelSize(
            image_size=224,
            image_tokens=64,
            parameters=1_664_485_376,
            config={
                "latent_query_num": 64,
                "text_config": {
                    "vocab_size": 65_037,
                    "max_position_embeddings": 2048,
                    "embed_dim": 2048,
                    "layers": 24,
                    "ffn_dim": 8192,
                    "attention_heads": 32,
                },
                "vision_config": {
                    "image_size": 224,
                    "patch_size": 14,
                    "hidden_size": 1024,
                    "num_hidden_layers": 24,
                    "num_attention_heads": 16,
                    "intermediate_size": 4096,
                },
            },
        ),
        "tiny": ModelSize(
            image_size=28,
            image_tokens=3,
            config={
                "latent_query_num": 3,
                "text_config": {
                    "vocab_size": 640,
                    "max_position_embeddings": 2048,
                    "embed_dim": 32,
                    "layers": 2,
                    "ffn_dim": 48,
                    "attention_heads": 4,
                },
                "vision_config": {
                    "image_size": 28,
                    "patch_size": 14,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "intermediate_size": 48,
                },
            },
        ),
    }

    def parts(self, request: str) -> tuple[str, str, str]:
        return "<s><image>", "</image><image>", f"</image><grounding> An image of a robot {request}"
