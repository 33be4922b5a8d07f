"""What every tokenizer can do."""

from typing import Protocol


class TextTokenizer(Protocol):
    """Text to ids."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text; special tokens are not recognised in it unless the tokenizer says so."""
        ...

    def special(self, token: str) -> int:
        """The id of a special token.

        Raises:
            KeyError: No such token.
        """
        ...

    def to_json(self) -> str:
        """The content of tokenizer.json, from which it can be made again."""
        ...
