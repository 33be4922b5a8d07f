"""SmolVLM: SigLIP and SmolLM2, with 64 tokens for an image of 512 x 512 pixels.

Source: Marafioti et al., "SmolVLM: Redefining small and efficient multimodal models", 2025.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from ambidex.policies.robovlms.backbones.pretrained import LANCZOS, ModelSize, PretrainedBackbone

AROUND, GLOBAL = "<fake_token_around_image>", "<global-img>"


class SmolVLM(PretrainedBackbone):
    """Images are not split into tiles, and resized by another filter. The output layer for words is its own."""

    architecture = "SmolVLMModel"
    repository = "HuggingFaceTB/SmolVLM-500M-Instruct"
    model_types = ("smolvlm", "idefics3")
    towers = ("vision_model", "text_model")
    resample = LANCZOS
    special_tokens = ("<|im_start|>", AROUND, GLOBAL, "<end_of_utterance>")
    sizes: ClassVar[Mapping[str, ModelSize]] = {
        "published": ModelSize(
            image_size=512,
            image_tokens=64,
            parameters=507_482_304,
            config={
                "image_token_id": 49_190,
                "scale_factor": 4,
                "tie_word_embeddings": False,
                "text_config": {
                    "model_type": "llama",
                    "vocab_size": 49_280,
                    "hidden_size": 960,
                    "num_hidden_layers": 32,
                    "num_attention_heads": 15,
                    "num_key_value_heads": 5,
                    "head_dim": 64,
                    "intermediate_size": 2560,
                    "max_position_embeddings": 8192,
                    "rms_norm_eps": 1e-5,
                    "rope_parameters": {"rope_type": "default", "rope_theta": 100_000.0},
                },
                "vision_config": {
                    "image_size": 512,
                    "patch_size": 16,
                    "hidden_size": 768,
                    "num_hidden_layers": 12,
                    "num_attention_heads": 12,
                    "intermediate_size": 3072,
                },
            },
        ),
        "tiny": ModelSize(
            image_size=64,
            image_tokens=4,
            config={
                "image_token_id": 2,
                "scale_factor": 2,
                "tie_word_embeddings": False,
                "text_config": {
                    "model_type": "llama",
                    "vocab_size": 640,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "num_key_value_heads": 2,
                    "head_dim": 8,
                    "intermediate_size": 48,
                    "max_position_embeddings": 2048,
                },
                "vision_config": {
                    "image_size": 64,
                    "patch_size": 16,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "intermediate_size": 48,
                },
            },
        ),
    }

    def project_images(self, pixels: Tensor) -> Tensor:
        return self.vlm.connector(self.vlm.vision_model(pixels).last_hidden_state)  # type: ignore[no-any-return]

    def parts(self, request: str) -> tuple[str, str, str]:
        begin, end = f"{AROUND}{GLOBAL}", "<end_of_utterance>\nAssistant:"
        return f"<|im_start|>User:{begin}", f"{AROUND}{begin}", f"{AROUND}{request}{end}"
