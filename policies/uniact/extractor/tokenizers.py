"""What every tokenizer can do."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol, Self

from ambidex.errors import CheckpointError


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


# FOLDED policies.uniact.extractor.byte_tokenizer: A byte-level tokenizer that learns from a few texts and can encode any.
#
# Source: Sennrich et al., "Neural machine translation of rare words with subword units", ACL 2016, over bytes.

FORMAT = "ambidex byte-level BPE 1"
PAD, END, VIDEO = SPECIALS = ("<pad>", "<end>", "<video>")
FIRST_MERGED = len(SPECIALS) + 256
WORD = re.compile(rb"\s*\S+|\s+$")
SMALLEST_COUNT = 2  # a pair that occurs once is not worth an id

Pair = tuple[int, int]


class ByteTokenizer:
    """Ids of special tokens, then of the 256 bytes, then of what learned merges make of two ids.

    Args:
        merges: Pairs of ids; the first gets the first id after the bytes, and so on.
    """

    def __init__(self, merges: Sequence[Pair]) -> None:
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._word = lru_cache(maxsize=4096)(self._encoded)

    @classmethod
    def learned(cls, texts: Iterable[str], size: int) -> Self:
        """Merges the pair that occurs most often, again and again, until there are `size` ids or none occurs twice."""
        counts = Counter(word for text in texts for word in WORD.findall(text.encode()))
        words = {word: _bytes(word) for word in sorted(counts)}
        merges: list[Pair] = []
        while FIRST_MERGED + len(merges) < size:
            pairs: Counter[Pair] = Counter()
            for word, ids in words.items():
                for pair in pairwise(ids):
                    pairs[pair] += counts[word]
            best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
            if best is None or pairs[best] < SMALLEST_COUNT:
                break
            words = {word: _merged(ids, best, FIRST_MERGED + len(merges)) for word, ids in words.items()}
            merges.append(best)
        return cls(merges)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`.

        Raises:
            CheckpointError: It is something else.
        """
        try:
            values = json.loads(text)
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']!r}, expected {FORMAT!r}")
            return cls([(int(first), int(second)) for first, second in values["merges"]])
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"tokenizer.json cannot be read as a tokenizer ({type(error).__name__}: {error}). Restore the "
                "checkpoint from a copy, or train again."
            ) from error

    @property
    def size(self) -> int:
        """Ids there are."""
        return FIRST_MERGED + len(self._ranks)

    def to_json(self) -> str:
        """See `TextTokenizer`."""
        return json.dumps({"format": FORMAT, "merges": list(self._ranks)})

    def special(self, token: str) -> int:
        """See `TextTokenizer`."""
        return {name: id_ for id_, name in enumerate(SPECIALS)}[token]

    def encode(self, text: str) -> list[int]:
        """See `TextTokenizer`."""
        return [id_ for word in WORD.findall(text.encode()) for id_ in self._word(word)]

    def decode(self, ids: Iterable[int]) -> str:
        """Inverse of `encode`, special tokens by their names."""
        return b"".join(map(self._piece, ids)).decode(errors="replace")

    def _piece(self, id_: int) -> bytes:
        if id_ < len(SPECIALS):
            return SPECIALS[id_].encode()
        if id_ < FIRST_MERGED:
            return bytes([id_ - len(SPECIALS)])
        first, second = list(self._ranks)[id_ - FIRST_MERGED]
        return self._piece(first) + self._piece(second)

    def _encoded(self, word: bytes) -> list[int]:
        ids = _bytes(word)
        while len(ids) > 1:
            pair = min(pairwise(ids), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if pair not in self._ranks:
                break
            ids = _merged(ids, pair, FIRST_MERGED + self._ranks[pair])
        return ids


def _bytes(word: bytes) -> list[int]:
    return [len(SPECIALS) + byte for byte in word]


def _merged(ids: list[int], pair: Pair, into: int) -> list[int]:
    """Every occurrence of the pair, from the left, becomes one id."""
    made: list[int] = []
    for id_ in ids:
        if made and (made[-1], id_) == pair:
            made[-1] = into
        else:
            made.append(id_)
    return made


# FOLDED policies.uniact.extractor.published_tokenizer: The tokenizer that came with published weights.


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
