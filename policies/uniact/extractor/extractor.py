"""What every extractor is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from ambidex.policies.uniact.extractor.text_tokenizer import TextTokenizer


class Extractor(nn.Module, ABC):
    """The main camera's image and the instruction to features.

    Attributes:
        width: Dimensions of the features, F.
        tokenizer: Makes ids of instructions. Belongs to a checkpoint, as weights do.
    """

    width: int
    tokenizer: TextTokenizer

    @abstractmethod
    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        """Images (B, 3, H, W) uint8 and B instructions to features (B, F): the last state at the last real token."""

    @abstractmethod
    def read_tokenizer(self, text: str) -> None:
        """Take the tokenizer of a checkpoint.

        Raises:
            CheckpointError: The text is no tokenizer.
        """

    def load_pretrained(self) -> str:
        """See `Policy.load_pretrained`."""
        return ""
