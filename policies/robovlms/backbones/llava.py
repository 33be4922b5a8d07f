"""LLaVA-OneVision: SigLIP and Qwen2, which UniAct's extractor uses as well.

Source: Li et al., "LLaVA-OneVision: Easy Visual Task Transfer", 2024.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from ambidex.policies.robovlms.backbones.pretrained import ModelSize, PretrainedBackbone
from ambidex.policies.vision_language.llava import LlavaShape, llava_values

PUBLISHED = LlavaShape()
TINY = LlavaShape(
    vocabulary=640,
    video_token=2,
    image_token=0,
    width=32,
    layers=2,
    heads=4,
    key_value_heads=2,
    feedforward=48,
    image_size=42,
    vision_width=32,
    vision_layers=2,
    vision_heads=4,
    vision_feedforward=48,
)


def _size(shape: LlavaShape, parameters: int = 0) -> ModelSize:
    return ModelSize(
        config={**llava_values(shape), "tie_word_embeddings": True},
        image_size=shape.image_size,
        image_tokens=shape.image_tokens,
        parameters=parameters,
    )


class LlavaOneVision(PretrainedBackbone):
    """Each image is a video of one frame, which takes a quarter of the tokens of a still image or less."""

    architecture = "LlavaOnevisionModel"
    repository = "llava-hf/llava-onevision-qwen2-0.5b-ov-hf"
    special_tokens = ("<|im_start|>", "<|im_end|>")
    unused = ("post_layernorm",)  # the features are those before it
    sizes: ClassVar[Mapping[str, ModelSize]] = {"published": _size(PUBLISHED, 893_675_552), "tiny": _size(TINY)}

    def project_images(self, pixels: Tensor) -> Tensor:
        return self.vlm.get_video_features(pixels[:, None]).pooler_output  # type: ignore[no-any-return]

    def parts(self, request: str) -> tuple[str, str, str]:
        return "<|im_start|>user ", "\n", f"\n{request}<|im_end|><|im_start|>assistant\n"
