"""PaliGemma: SigLIP and Gemma 2B, whose attention is bidirectional over the images and the prompt.

Source: Beyer et al., "PaliGemma: A versatile 3B VLM for transfer", 2024.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from ambidex.policies.robovlms.backbones.backbone import Kind, TokenSequence
from ambidex.policies.robovlms.backbones.pretrained import ModelSize, PretrainedBackbone

CAUSAL = -1  # the block of positions that see only what is before them


class PaliGemma(PretrainedBackbone):
    """Positions count from 1. Flash-attn has no such attention."""

    architecture = "PaliGemmaModel"
    repository = "google/paligemma-3b-pt-224"
    special_tokens = ("<bos>",)
    flash = False
    first_position = 1
    sizes: ClassVar[Mapping[str, ModelSize]] = {
        "published": ModelSize(
            image_size=224,
            image_tokens=256,
            parameters=2_923_466_480,
            config={
                "image_token_index": 257_152,
                "projection_dim": 2048,
                "text_config": {
                    "model_type": "gemma",
                    "vocab_size": 257_216,
                    "hidden_size": 2048,
                    "num_hidden_layers": 18,
                    "num_attention_heads": 8,
                    "num_key_value_heads": 1,
                    "head_dim": 256,
                    "intermediate_size": 16_384,
                },
                "vision_config": {
                    "model_type": "siglip_vision_model",
                    "image_size": 224,
                    "patch_size": 14,
                    "hidden_size": 1152,
                    "num_hidden_layers": 27,
                    "num_attention_heads": 16,
                    "intermediate_size": 4304,
                    "vision_use_head": False,
                },
            },
        ),
        "tiny": ModelSize(
            image_size=28,
            image_tokens=4,
            config={
                "image_token_index": 2,
                "projection_dim": 32,
                "text_config": {
                    "model_type": "gemma",
                    "vocab_size": 640,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "num_key_value_heads": 1,
                    "head_dim": 8,
                    "intermediate_size": 48,
                    "max_position_embeddings": 2048,
                },
                "vision_config": {
                    "model_type": "siglip_vision_model",
                    "image_size": 28,
                    "patch_size": 14,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "intermediate_size": 48,
                    "vision_use_head": False,
                },
            },
        ),
    }

    def parts(self, request: str) -> tuple[str, str, str]:
        return "", "", f"<bos>{request}\n"

    def positions_and_mask(self, sequence: TokenSequence) -> dict[str, Any]:
        """Images and words of the prompt see each other, up to the next readout or action; those see what is before."""
        from transformers.masking_utils import create_causal_mask

        kinds = sequence.kinds
        positions = self.positions(kinds)
        prefix = (kinds == Kind.TEXT) | (kinds == Kind.IMAGE)
        blocks = torch.where(prefix, (~prefix).cumsum(1), CAUSAL)  # (B, S)
        mask = create_causal_mask(
            config=self.vlm.config.text_config,
            inputs_embeds=sequence.embeddings,
            attention_mask=None,  # padding is in no block, and after everything else
            past_key_values=None,
            position_ids=positions,
            block_sequence_ids=blocks,
        )
        return {"position_ids": positions, "attention_mask": mask}
