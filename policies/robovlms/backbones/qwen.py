"""Qwen2.5-VL: an image encoder with windowed attention, and Qwen2.5 with rotary positions of time, row and column.

Source: Bai et al., "Qwen2.5-VL Technical Report", 2025.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ambidex.policies.robovlms.backbones.backbone import Kind, TokenSequence
from ambidex.policies.robovlms.backbones.pretrained import CLIP_MEAN, CLIP_STD, ModelSize, PretrainedBackbone, stacked

PATCH, FRAMES, MERGE = 14, 2, 2  # pixels and frames of a patch, and patches of a token in each direction
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"


class Qwen25VL(PretrainedBackbone):
    """Images are resized to 224 x 224 pixels, 8 x 8 tokens; each is repeated as the two frames of its patches."""

    architecture = "Qwen2_5_VLModel"
    repository = "Qwen/Qwen2.5-VL-3B-Instruct"
    towers = ("visual", "language_model")
    special_tokens = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
    image_mean, image_std = CLIP_MEAN, CLIP_STD
    sizes: ClassVar[Mapping[str, ModelSize]] = {
        "published": ModelSize(
            image_size=224,
            image_tokens=64,
            parameters=3_754_622_976,
            config={
                "image_token_id": 151_655,
                "tie_word_embeddings": True,
                "text_config": {
                    "vocab_size": 151_936,
                    "hidden_size": 2048,
                    "num_hidden_layers": 36,
                    "num_attention_heads": 16,
                    "num_key_value_heads": 2,
                    "intermediate_size": 11_008,
                    "max_position_embeddings": 128_000,
                    "rms_norm_eps": 1e-6,
                    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
                },
                "vision_config": {
                    "depth": 32,
                    "hidden_size": 1280,
                    "out_hidden_size": 2048,
                    "num_heads": 16,
                    "intermediate_size": 3420,
                    "fullatt_block_indexes": [7, 15, 23, 31],
                },
            },
        ),
        "tiny": ModelSize(
            image_size=84,
            image_tokens=9,
            config={
                "image_token_id": 2,
                "tie_word_embeddings": True,
                "text_config": {
                    "vocab_size": 640,
                    "bos_token_id": 0,
                    "eos_token_id": 0,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "num_key_value_heads": 2,
                    "intermediate_size": 48,
                    "max_position_embeddings": 2048,
                    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 1, 1]},
                },
                "vision_config": {
                    "depth": 2,
                    "hidden_size": 32,
                    "out_hidden_size": 32,
                    "num_heads": 4,
                    "intermediate_size": 48,
                    "window_size": 56,
                    "fullatt_block_indexes": [1],
                },
            },
        ),
    }

    def parts(self, request: str) -> tuple[str, str, str]:
        before, after = "<|vision_start|>", "<|vision_end|>"
        end = f"{after}{request}<|im_end|>\n<|im_start|>assistant\n"
        return f"{SYSTEM}<|im_start|>user\n{before}", f"{after}{before}", end

    def project_images(self, pixels: Tensor) -> Tensor:
        count, side = len(pixels), pixels.shape[-1] // PATCH
        blocks = pixels.reshape(count, 3, side // MERGE, MERGE, PATCH, side // MERGE, MERGE, PATCH)
        patches = blocks.permute(0, 2, 5, 3, 6, 1, 4, 7)  # those of one token in a row
        frames = patches[..., None, :, :].expand(*patches.shape[:-2], FRAMES, PATCH, PATCH)
        grid = torch.tensor([[1, side, side]], device=pixels.device).expand(count, -1)
        return stacked(self.vlm.get_image_features(frames.reshape(count * side**2, -1), grid).pooler_output)

    def positions_and_mask(self, sequence: TokenSequence) -> dict[str, Any]:
        return {"position_ids": self.positions(sequence.kinds)}

    def positions(self, kinds: Tensor) -> Tensor:
        """A word takes one position. An image of n x n tokens takes n, counted by row and column from the same one."""
        side = round(self.image_tokens**0.5)
        image = kinds == Kind.IMAGE  # (B, S)
        within = torch.where(image, (image.cumsum(1) - 1) % self.image_tokens, 0)
        ends = within == self.image_tokens - 1
        steps = torch.where(image, torch.where(ends, side, 0), (kinds != Kind.PADDING).long())
        start = steps.cumsum(1) - steps
        return start + torch.stack((torch.zeros_like(within), within // side, within % side))
