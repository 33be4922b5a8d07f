"""Base class of extractors, and the preparation of their prompts and images."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from ambidex.policies.policy import never_compiled
from ambidex.policies.vision_language.tokenizers import ByteTokenizer, TextTokenizer


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompts:
    """Ids of B prompts as one tensor, shorter ones padded on the right, where causal attention does not see it.

    Attributes:
        ids: Shape (B, L) int64.
        last: Position of each prompt's last real token, shape (B,) int64.
    """

    ids: Tensor
    last: Tensor

    @classmethod
    def of(cls, prompts: Sequence[Sequence[int]], device: torch.device, min_length: int = 0) -> Self:
        """Prompts of one token or more each, padded to the longest and to `min_length`."""
        longest = max(min_length, *map(len, prompts))
        rows = [[*prompt, *[prompt[-1]] * (longest - len(prompt))] for prompt in prompts]
        ids = torch.tensor(rows).to(device, non_blocking=True)
        last = torch.tensor([len(prompt) - 1 for prompt in prompts]).to(device, non_blocking=True)
        return cls(ids=ids, last=last)


class Extractor(nn.Module, ABC):
    """Maps the main camera's image and the instruction to features.

    Attributes:
        width: Dimensions of the features, F.
        tokenizer: The tokenizer in use. Like weights it belongs to a checkpoint.
    """

    def __init__(self, width: int, instructions: Sequence[str]) -> None:
        super().__init__()
        self.width = width
        self.tokenizer: TextTokenizer = ByteTokenizer(())
        self.set_instructions(instructions)

    @abstractmethod
    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        """Images (B, 3, H, W) uint8 and B instructions to features (B, F): the last state at the last real token."""

    @abstractmethod
    def prompt(self, instruction: str) -> list[int]:
        """Ids of the prompt of an instruction.

        Raises:
            UsageError: It is too long.
        """

    @abstractmethod
    def train_tokenizer(self, texts: Sequence[str]) -> TextTokenizer:
        """A tokenizer trained on some texts."""

    @abstractmethod
    def load_tokenizer(self, text: str) -> None:
        """Use the tokenizer of a checkpoint.

        Raises:
            CheckpointError: The text is no tokenizer.
        """

    def load_pretrained(self) -> str:
        """See `Policy.load_pretrained`."""
        return ""

    def set_instructions(self, instructions: Sequence[str]) -> None:
        """Set the instructions of the training data. A `ByteTokenizer` is trained on them; a published one is kept."""
        self._instructions, tokenizer = tuple(instructions), self.tokenizer
        trained = isinstance(tokenizer, ByteTokenizer)
        self.use_tokenizer(self.train_tokenizer(instructions) if trained else tokenizer)

    def use_tokenizer(self, tokenizer: TextTokenizer) -> None:
        """Use this tokenizer from now on."""
        self.tokenizer = tokenizer
        self._longest_prompt: int | None = None

    @never_compiled  # ids are looked up in Python
    def prompts(self, instructions: Sequence[str], device: torch.device) -> Prompts:
        """The prompts of instructions.

        In evaluation mode they are as long as the longest of the training data, so that the shape of a batch, and with
        it the order of sums, does not depend on other requests (docs/decisions/0010).
        """
        ids = {text: self.prompt(text) for text in set(instructions)}
        return Prompts.of([ids[text] for text in instructions], device, 0 if self.training else self._min_length())

    def _min_length(self) -> int:
        if self._longest_prompt is None:
            self._longest_prompt = max((len(self.prompt(text)) for text in self._instructions), default=0)
        return self._longest_prompt


def select_states(states: Tensor, positions: Tensor) -> Tensor:
    """The state of each row of (B, S, D) at its position (B,), shape (B, D)."""
    return states[torch.arange(len(states), device=states.device), positions]
