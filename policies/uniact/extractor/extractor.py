"""What every extractor is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.policies.uniact.extractor.tokenizers import TextTokenizer

# FOLDED policies.uniact.extractor.prompts: Prompts of a batch as one tensor.


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompts:
    """Ids of B prompts, shorter ones with some id on the right. With causal attention nothing before sees that.

    Attributes:
        ids: Shape (B, L) int64.
        last: Where each prompt's last real token is, shape (B,) int64.
    """

    ids: Tensor
    last: Tensor

    @classmethod
    def of(cls, prompts: Sequence[Sequence[int]], device: torch.device, least: int = 0) -> Self:
        """Prompts of one token or more each, filled up to the longest and to `least`."""
        longest = max(least, *map(len, prompts))
        rows = [[*prompt, *[prompt[-1]] * (longest - len(prompt))] for prompt in prompts]
        ids = torch.tensor(rows).to(device, non_blocking=True)
        last = torch.tensor([len(prompt) - 1 for prompt in prompts]).to(device, non_blocking=True)
        return cls(ids=ids, last=last)


def at(states: Tensor, places: Tensor) -> Tensor:
    """Of each row of (B, S, D) the state at its place (B,), shape (B, D)."""
    return states[torch.arange(len(states), device=states.device), places]


class Extractor(nn.Module, ABC):
    """The main camera's image and the instruction to features.

    Args:
        width: Dimensions of the features, F.
        texts: The instructions of the training data.

    Attributes:
        width: As given.
        tokenizer: The one in use. Belongs to a checkpoint, as weights do.
    """

    def __init__(self, width: int, texts: Sequence[str]) -> None:
        super().__init__()
        self.width = width
        self.learn(texts)

    @abstractmethod
    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        """Images (B, 3, H, W) uint8 and B instructions to features (B, F): the last state at the last real token."""

    @abstractmethod
    def prompt(self, instruction: str) -> list[int]:
        """The ids that stand for an instruction.

        Raises:
            UsageError: It is too long.
        """

    @abstractmethod
    def read_tokenizer(self, text: str) -> None:
        """Take the tokenizer of a checkpoint.

        Raises:
            CheckpointError: The text is no tokenizer.
        """

    @abstractmethod
    def learned_tokenizer(self, texts: Sequence[str]) -> TextTokenizer:
        """A tokenizer of our own that knows the words of these texts."""

    def learn(self, texts: Sequence[str]) -> None:
        """Take these for the instructions of the training data."""
        self._texts = tuple(texts)
        self.use_tokenizer(self.learned_tokenizer(texts))

    def load_pretrained(self) -> str:
        """See `Policy.load_pretrained`."""
        return ""

    def use_tokenizer(self, tokenizer: TextTokenizer) -> None:
        """Take this one from now on."""
        self.tokenizer = tokenizer
        self._usual_length: int | None = None

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # ids are looked up in Python
    def prompts(self, instructions: Sequence[str], device: torch.device) -> Prompts:
        """The prompts of instructions.

        In use they are as long as the longest of the training data, so that the shape of a batch, and with it the
        order of sums, does not depend on who else asks (docs/decisions/0010).
        """
        ids = {text: self.prompt(text) for text in set(instructions)}
        return Prompts.of([ids[text] for text in instructions], device, 0 if self.training else self._usual())

    def _usual(self) -> int:
        if self._usual_length is None:
            self._usual_length = max((len(self.prompt(text)) for text in self._texts), default=0)
        return self._usual_length


# FOLDED policies.uniact.extractor.image_preparation: Images as an extractor wants them, on the device where they lie.


def prepared(images: Tensor, size: int, mode: str) -> Tensor:
    """Square images in [-1, 1]; what is not square is squeezed.

    Args:
        images: Shape (B, 3, H, W) uint8.
        size: Side [px].
        mode: "bilinear" or "bicubic", with antialiasing.

    Returns:
        Shape (B, 3, size, size) float32.
    """
    values = images.float()
    if images.shape[-2:] != (size, size):
        values = F.interpolate(values, (size, size), mode=mode, antialias=True).clamp(0, 255)
    return values / 127.5 - 1
