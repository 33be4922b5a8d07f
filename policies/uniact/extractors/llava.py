"""LLaVA-OneVision as an extractor, through transformers.

Source: Li et al., "LLaVA-OneVision: Easy Visual Task Transfer", 2024.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ambidex.errors import CheckpointError, MissingPackageError, UsageError
from ambidex.policies.uniact.extractors.extractor import Extractor, select_states
from ambidex.policies.vision.images import prepare_images
from ambidex.policies.vision_language.attention import AttentionSetting
from ambidex.policies.vision_language.llava import IMAGE_STATISTICS, LlavaShape, llava_config, llava_values
from ambidex.policies.vision_language.tokenizers import (
    FIRST_MERGED,
    SPECIALS,
    VIDEO,
    ByteTokenizer,
    PublishedTokenizer,
    tokenizer_from_json,
)
from ambidex.policies.vision_language.weights import CONFIG, TOKENIZER, load_strictly, read_text

BEFORE, AFTER = "<|im_start|>user ", "\n{}<|im_end|><|im_start|>assistant\n"  # the chat template, around the image
CACHED, NONE = "cached", "none"
CACHE_NAME = "models--llava-hf--llava-onevision-qwen2-0.5b-ov-hf"
MISFIT_HINT = "Expected those of llava-onevision-qwen2-0.5b-ov, or flags --llava.* that describe these."
MAX_TRAINED_IDS = 1024  # of a tokenizer that is trained on the instructions


class LlavaExtractor(Extractor):
    """Features of the image, as a video of one frame, and the instruction; the base model, without a language head.

    Prompts of different length are padded on the right, and attention is causal, so no mask is needed and fused kernels
    can be used.

    The tokenizer is trained on the instructions of the data, unless published weights bring theirs.

    Raises:
        UsageError: transformers is not installed.
    """

    def __init__(self, shape: LlavaShape, instructions: Sequence[str], weights: str, attention: str) -> None:
        self._shape, self._weights, self._attention = shape, weights, AttentionSetting(attention)
        super().__init__(shape.width, instructions)
        try:
            from transformers import LlavaOnevisionModel
        except ModuleNotFoundError as error:
            raise missing_packages(error) from error
        self.llava: Any = LlavaOnevisionModel(llava_config(shape))
        self._freeze_unused()

    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        prompts = self.prompts(instructions, images.device)
        pixels = prepare_images(images, self._shape.image_size, "bicubic")[:, None]  # (B, 1, 3, S, S): one frame
        with self._attention.precision(self.llava, images.device):
            states = self.llava(input_ids=prompts.ids, pixel_values_videos=pixels, use_cache=False).last_hidden_state
        return select_states(states, prompts.last)

    def prompt(self, instruction: str) -> list[int]:
        image = [self._shape.video_token] * self._shape.image_tokens
        return [*self.tokenizer.encode(BEFORE), *image, *self.tokenizer.encode(AFTER.format(instruction))]

    def train_tokenizer(self, texts: Sequence[str]) -> ByteTokenizer:
        return ByteTokenizer.train(texts, _trained_ids(self._shape))

    def load_tokenizer(self, text: str) -> None:
        self.use_tokenizer(tokenizer_from_json(text))

    def load_pretrained(self) -> str:
        """See `Policy.load_pretrained`."""
        attention = self._attention.choose(self.llava, self.llava.device)
        if self._weights == NONE:
            return f"LLaVA-OneVision starts from scratch, as requested. {attention}"
        folder = weights_folder(self._weights)
        tokenizer = PublishedTokenizer(read_text(folder / TOKENIZER))
        if tokenizer.special(VIDEO) != self._shape.video_token:
            found, expected = tokenizer.special(VIDEO), self._shape.video_token
            problem = f"{folder}: tokenizer.json has id {found} for {VIDEO}, expected {expected}."
            raise CheckpointError(problem, "Get the files again, or give --llava.video-token.", path=folder)
        published = load_strictly(type(self.llava), folder, llava_values(self._shape), IMAGE_STATISTICS, MISFIT_HINT)
        self.llava.load_state_dict(published.state_dict())
        self.use_tokenizer(tokenizer)
        return f"LLaVA-OneVision starts from {folder}. {attention}"

    def _freeze_unused(self) -> None:
        """Freeze what the features do not depend on: the norm after the image encoder's last layer."""
        for name, parameter in self.llava.named_parameters():
            if "post_layernorm" in name:
                parameter.requires_grad_(False)


def missing_weights(source: str) -> UsageError | None:
    """The error that loading weights from a source would raise for a missing file or package; None if none."""
    try:
        if source != NONE:
            weights_folder(source)
    except UsageError as error:
        return error
    except ModuleNotFoundError as error:
        return missing_packages(error)
    return None


def weights_folder(source: str) -> Path:
    """The folder of the weights: the one named, or for "cached" the one in the user's Hugging Face cache.

    Raises:
        UsageError: There is none.
    """
    folder = _cached() if source == CACHED else Path(source).expanduser()
    if folder is None or not (folder / CONFIG).is_file():
        reason = f"{folder} has no config.json" if folder else "the user's Hugging Face cache has none"
        hint = (
            "Get the files of llava-hf/llava-onevision-qwen2-0.5b-ov-hf and name their folder with --extractor-weights "
            "DIR, start from scratch with --extractor-weights none, or use --extractor scratch, which needs none."
        )
        raise UsageError(f"LLaVA-OneVision needs weights, but {reason}.", hint, field="extractor_weights", path=folder)
    return folder


def missing_packages(error: ModuleNotFoundError) -> UsageError:
    """The error to raise if transformers is not installed."""
    return MissingPackageError(error, "uniact", "The extractor llava_ov", ", or use --extractor scratch")


def _trained_ids(shape: LlavaShape) -> int:
    """Size of a trained tokenizer; its ids must not reach those that stand for pieces of the image."""
    image_ids = [token for token in (shape.image_token, shape.video_token) if token >= len(SPECIALS)]
    size = min(MAX_TRAINED_IDS, shape.vocabulary, *image_ids)
    if size < FIRST_MERGED:
        raise UsageError(
            f"UniAct: llava.vocabulary must be {FIRST_MERGED} or more, and llava.image_token and llava.video_token "
            f"below {len(SPECIALS)} or at least {FIRST_MERGED}, got {shape}."
        )
    return size


def _cached() -> Path | None:
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = sorted((Path(HF_HUB_CACHE) / CACHE_NAME / "snapshots").glob("*/config.json"))
    return max(snapshots, key=lambda path: path.stat().st_mtime).parent if snapshots else None
