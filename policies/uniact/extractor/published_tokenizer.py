"""The tokenizer that came with published weights."""

from typing import Any

from ambidex.errors import CheckpointError


class PublishedTokenizer:
    """A tokenizer.json of Hugging Face's `tokenizers`. Special tokens are recognised in text.

    Args:
        text: The file's content.

    Raises:
        CheckpointError: It is no tokenizer.
    """

    def __init__(self, text: str) -> None:
        from tokenizers import Tokenizer

        self._text = text
        try:
            self._tokenizer: Any = Tokenizer.from_str(text)
        except Exception as error:  # the library raises nothing more precise
            raise CheckpointError(
                f"tokenizer.json cannot be read as a tokenizer: {error}. Get the file again."
            ) from error

    def encode(self, text: str) -> list[int]:
        """See `TextTokenizer`."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def special(self, token: str) -> int:
        """See `TextTokenizer`."""
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return int(found)

    def to_json(self) -> str:
        """See `TextTokenizer`."""
        return self._text
