"""LLaVA-OneVision as an extractor, through transformers.

Source: Li et al., "LLaVA-OneVision: Easy Visual Task Transfer", 2024.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.uniact.extractor.extractor import Extractor, at, prepared
from ambidex.policies.uniact.extractor.llava_config import LlavaShape, llava_config
from ambidex.policies.uniact.extractor.llava_weights import NONE, pretrained, weights_folder
from ambidex.policies.uniact.extractor.tokenizers import (
    FIRST_MERGED,
    SPECIALS,
    ByteTokenizer,
    PublishedTokenizer,
    TextTokenizer,
)

BEFORE, AFTER = "<|im_start|>user ", "\n{}<|im_end|><|im_start|>assistant\n"  # the chat template, around the image
MOST_LEARNED = 1024  # ids of a tokenizer of our own
VIDEO = "<video>"


class LlavaExtractor(Extractor):
    """The image as a video of one frame and the instruction, through the base model: nobody asks for words.

    Prompts of different length are filled on the right, and attention is causal, so no mask is needed and the quick
    kernels stay in use.

    Args:
        shape: Sizes.
        texts: The instructions of the training data, of which a tokenizer of our own learns, used unless weights bring
            one.
        weights: Where weights come from; see `UniActConfig.extractor_weights`.
        attention: See `UniActConfig.attention`.

    Raises:
        UsageError: transformers is not installed.
    """

    def __init__(self, shape: LlavaShape, texts: Sequence[str], weights: str, attention: str) -> None:
        self._shape, self._weights, self._wanted = shape, weights, attention
        super().__init__(shape.width, texts)
        try:
            from transformers import LlavaOnevisionModel
        except ModuleNotFoundError as error:
            raise UsageError(not_installed(error)) from error
        self._chosen_for: torch.device | None = None
        self._flash = False
        self.llava: Any = LlavaOnevisionModel(llava_config(shape))
        self._freeze_unused()

    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        """See `Extractor`."""
        if self._chosen_for != images.device:
            self._choose_attention(images.device)
        prompts = self.prompts(instructions, images.device)
        pixels = prepared(images, self._shape.image_size, "bicubic")[:, None]  # (B, 1, 3, S, S): one frame
        with self._precision(images.device):
            states = self.llava(input_ids=prompts.ids, pixel_values_videos=pixels, use_cache=False).last_hidden_state
        return at(states, prompts.last)

    def prompt(self, instruction: str) -> list[int]:
        """See `Extractor`."""
        image = [self._shape.video_token] * self._shape.image_tokens
        return [*self.tokenizer.encode(BEFORE), *image, *self.tokenizer.encode(AFTER.format(instruction))]

    def learned_tokenizer(self, texts: Sequence[str]) -> ByteTokenizer:
        """See `Extractor`."""
        return ByteTokenizer.learned(texts, _learned_size(self._shape))

    def read_tokenizer(self, text: str) -> None:
        """See `Extractor`."""
        self.use_tokenizer(_tokenizer(text))

    def load_pretrained(self) -> str:
        """See `Policy.load_pretrained`."""
        device = self.llava.device
        attention = self._choose_attention(device)
        if self._weights == NONE:
            return f"LLaVA-OneVision starts from scratch, as asked for. {attention}"
        folder = weights_folder(self._weights)
        tokenizer = PublishedTokenizer(_read(folder / "tokenizer.json"))
        if tokenizer.special(VIDEO) != self._shape.video_token:
            raise CheckpointError(
                f"{folder}: tokenizer.json has id {tokenizer.special(VIDEO)} for {VIDEO}, expected "
                f"{self._shape.video_token}. Get the files again, or give --llava.video-token."
            )
        self.llava.load_state_dict(pretrained(self._shape, folder).state_dict())
        self.use_tokenizer(tokenizer)
        return f"LLaVA-OneVision starts from {folder}. {attention}"

    def _choose_attention(self, device: torch.device) -> str:
        name, why = choose_attention(self._wanted, device)
        self.llava.set_attn_implementation(name)
        self._chosen_for, self._flash = device, name == FLASH
        return why

    def _precision(self, device: torch.device) -> AbstractContextManager[object]:
        """What is used by itself is in float32, and flash_attention_2 has no kernels for that."""
        return torch.autocast(device.type, dtype=torch.bfloat16) if self._flash else nullcontext()

    def _freeze_unused(self) -> None:
        """What the features do not depend on: the norm after the image encoder's last layer."""
        for name, parameter in self.llava.named_parameters():
            if "post_layernorm" in name:
                parameter.requires_grad_(False)


def not_installed(error: ModuleNotFoundError) -> str:
    """What to do about it, in words."""
    return (
        f"The extractor llava_ov needs packages that are not installed ({error}). Install them: pip install "
        "'ambidex[uniact]'; or take --extractor scratch."
    )


def _learned_size(shape: LlavaShape) -> int:
    """Ids for a tokenizer of our own, apart from those that stand for pieces of the image."""
    taken = [token for token in (shape.image_token, shape.video_token) if token >= len(SPECIALS)]
    size = min(MOST_LEARNED, shape.vocabulary, *taken)
    if size < FIRST_MERGED:
        raise UsageError(
            f"UniAct: llava.vocabulary must be {FIRST_MERGED} or more, and llava.image_token and llava.video_token "
            f"below {len(SPECIALS)} or at least {FIRST_MERGED}, got {shape}."
        )
    return size


def _tokenizer(text: str) -> TextTokenizer:
    try:
        ours = "merges" in json.loads(text) and "format" in json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"tokenizer.json cannot be read: {error}. Restore the checkpoint.") from error
    return ByteTokenizer.from_json(text) if ours else PublishedTokenizer(text)


def _read(file: Any) -> str:
    try:
        return str(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error}. Get the files again.") from error


# FOLDED policies.uniact.extractor.attention_choice: How LLaVA-OneVision attends. Imports transformers.

AUTO, SDPA, FLASH = "auto", "sdpa", "flash_attention_2"
OLDEST = (8, 0)  # compute capability that flash-attn supports
INSTALL = "pip install flash-attn --no-build-isolation"


def choose_attention(wanted: str, device: torch.device) -> tuple[str, str]:
    """The implementation to use and, in words, why.

    Raises:
        UsageError: flash_attention_2 is asked for and cannot be used.
    """
    if wanted not in (AUTO, FLASH):
        return wanted, f"Attention: {wanted}, as asked for."
    hindrance = _hindrance(device)
    if not hindrance:
        return FLASH, f"Attention: {FLASH}, which is installed, in bf16."
    if wanted == AUTO:
        return SDPA, f"Attention: {SDPA}; {FLASH} {hindrance}."
    raise UsageError(f"--attention {FLASH}: it {hindrance}. Install it with `{INSTALL}`, or take --attention {SDPA}.")


def _hindrance(device: torch.device) -> str:
    from transformers.utils import is_flash_attn_2_available

    if device.type != "cuda":
        return f"needs a CUDA device, and this is {device.type}"
    if torch.cuda.get_device_capability(device) < OLDEST:
        return "needs a GPU of compute capability 8.0 or newer"
    return "" if is_flash_attn_2_available() else "is not installed"
