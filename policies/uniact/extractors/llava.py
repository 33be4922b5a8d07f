"""LLaVA-OneVision as an extractor, through transformers.

Source: Li et al., "LLaVA-OneVision: Easy Visual Task Transfer", 2024.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ambidex.errors import CheckpointError, MissingPackageError, UsageError
from ambidex.policies.uniact.extractors.extractor import Extractor, prepare_images, select_states
from ambidex.policies.uniact.extractors.llava_config import LlavaShape, llava_config
from ambidex.policies.uniact.extractors.llava_weights import NONE, pretrained, weights_folder
from ambidex.policies.uniact.extractors.tokenizers import (
    FIRST_MERGED,
    SPECIALS,
    VIDEO,
    ByteTokenizer,
    PublishedTokenizer,
    TextTokenizer,
)

BEFORE, AFTER = "<|im_start|>user ", "\n{}<|im_end|><|im_start|>assistant\n"  # the chat template, around the image
MAX_TRAINED_IDS = 1024  # of a tokenizer that is trained on the instructions
AUTO, SDPA, FLASH = "auto", "sdpa", "flash_attention_2"
MIN_CAPABILITY = (8, 0)  # compute capability that flash-attn supports
INSTALL_FLASH = "pip install flash-attn --no-build-isolation"


class LlavaExtractor(Extractor):
    """Features of the image, as a video of one frame, and the instruction; the base model, without a language head.

    Prompts of different length are padded on the right, and attention is causal, so no mask is needed and fused kernels
    can be used.

    The tokenizer is trained on the instructions of the data, unless published weights bring theirs.

    Raises:
        UsageError: transformers is not installed.
    """

    def __init__(self, shape: LlavaShape, instructions: Sequence[str], weights: str, attention: str) -> None:
        self._shape, self._weights, self._attention = shape, weights, attention
        super().__init__(shape.width, instructions)
        try:
            from transformers import LlavaOnevisionModel
        except ModuleNotFoundError as error:
            raise missing_packages(error) from error
        self._chosen_for: torch.device | None = None
        self._flash = False
        self.llava: Any = LlavaOnevisionModel(llava_config(shape))
        self._freeze_unused()

    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        if self._chosen_for != images.device:
            self._choose_attention(images.device)
        prompts = self.prompts(instructions, images.device)
        pixels = prepare_images(images, self._shape.image_size, "bicubic")[:, None]  # (B, 1, 3, S, S): one frame
        with self._precision(images.device):
            states = self.llava(input_ids=prompts.ids, pixel_values_videos=pixels, use_cache=False).last_hidden_state
        return select_states(states, prompts.last)

    def prompt(self, instruction: str) -> list[int]:
        image = [self._shape.video_token] * self._shape.image_tokens
        return [*self.tokenizer.encode(BEFORE), *image, *self.tokenizer.encode(AFTER.format(instruction))]

    def train_tokenizer(self, texts: Sequence[str]) -> ByteTokenizer:
        return ByteTokenizer.train(texts, _trained_ids(self._shape))

    def load_tokenizer(self, text: str) -> None:
        self.use_tokenizer(_tokenizer(text))

    def load_pretrained(self) -> str:
        """See `Policy.load_pretrained`."""
        attention = self._choose_attention(self.llava.device)
        if self._weights == NONE:
            return f"LLaVA-OneVision starts from scratch, as requested. {attention}"
        folder = weights_folder(self._weights)
        tokenizer = PublishedTokenizer(_read(folder / "tokenizer.json"))
        if tokenizer.special(VIDEO) != self._shape.video_token:
            found, expected = tokenizer.special(VIDEO), self._shape.video_token
            problem = f"{folder}: tokenizer.json has id {found} for {VIDEO}, expected {expected}."
            raise CheckpointError(problem, "Get the files again, or give --llava.video-token.", path=folder)
        self.llava.load_state_dict(pretrained(self._shape, folder).state_dict())
        self.use_tokenizer(tokenizer)
        return f"LLaVA-OneVision starts from {folder}. {attention}"

    def _choose_attention(self, device: torch.device) -> str:
        name, reason = choose_attention(self._attention, device)
        self.llava.set_attn_implementation(name)
        self._chosen_for, self._flash = device, name == FLASH
        return reason

    def _precision(self, device: torch.device) -> AbstractContextManager[object]:
        """bf16 for flash_attention_2, which has no kernels for the float32 of a policy in use."""
        return torch.autocast(device.type, dtype=torch.bfloat16) if self._flash else nullcontext()

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


def missing_packages(error: ModuleNotFoundError) -> UsageError:
    """The error to raise if transformers is not installed."""
    return MissingPackageError(error, "uniact", "The extractor llava_ov", ", or use --extractor scratch")


def choose_attention(wanted: str, device: torch.device) -> tuple[str, str]:
    """The attention implementation to use, and a sentence with the reason.

    Raises:
        UsageError: flash_attention_2 is requested and cannot be used.
    """
    if wanted not in (AUTO, FLASH):
        return wanted, f"Attention: {wanted}, as requested."
    obstacle = _flash_obstacle(device)
    if not obstacle:
        return FLASH, f"Attention: {FLASH}, which is installed, in bf16."
    if wanted == AUTO:
        return SDPA, f"Attention: {SDPA}; {FLASH} {obstacle}."
    hint = f"Install it with `{INSTALL_FLASH}`, or use --attention {SDPA}."
    raise UsageError(f"--attention {FLASH}: it {obstacle}.", hint, field="attention")


def _flash_obstacle(device: torch.device) -> str:
    from transformers.utils import is_flash_attn_2_available

    if device.type != "cuda":
        return f"needs a CUDA device, and this is {device.type}"
    if torch.cuda.get_device_capability(device) < MIN_CAPABILITY:
        return "needs a GPU of compute capability 8.0 or newer"
    return "" if is_flash_attn_2_available() else "is not installed"


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


def _tokenizer(text: str) -> TextTokenizer:
    try:
        values = json.loads(text)
    except ValueError as error:
        problem = f"tokenizer.json cannot be read: {error}."
        raise CheckpointError(problem, "Restore the checkpoint from a copy.") from error
    return ByteTokenizer.from_json(text) if "merges" in values and "format" in values else PublishedTokenizer(text)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error}.", "Get the files again.", path=file) from error
