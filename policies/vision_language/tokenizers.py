"""Tokenizers: byte-level BPE trained on a few instructions, and the one of published weights."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Self

from ambidex.errors import CheckpointError

FORMAT = "ambidex byte-level BPE 1"
PAD, END, VIDEO = SPECIALS = ("<pad>", "<end>", "<video>")
FIRST_MERGED = len(SPECIALS) + 256
WORD = re.compile(rb"\s*\S+|\s+$")
MIN_COUNT = 2  # of a pair that is merged

Pair = tuple[int, int]


class ByteTokenizer:
    """Byte-level BPE: ids of special tokens, then of the 256 bytes, then of merged pairs. It can encode any text.

    Special tokens are not recognised in texts. Pairs of ids get their own id in the order in which they are merged.
    Source: Sennrich et al., "Neural machine translation of rare words with subword units", ACL 2016, over bytes.
    """

    def __init__(self, merges: Sequence[Pair]) -> None:
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._encode_word = lru_cache(maxsize=4096)(self._merge_word)

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> Self:
        """Merge the most frequent pair repeatedly, until there are `size` ids or no pair occurs twice."""
        counts = Counter(word for text in texts for word in WORD.findall(text.encode()))
        words = {word: _byte_ids(word) for word in sorted(counts)}
        merges: list[Pair] = []
        while FIRST_MERGED + len(merges) < size:
            pairs: Counter[Pair] = Counter()
            for word, ids in words.items():
                for pair in pairwise(ids):
                    pairs[pair] += counts[word]
            best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
            if best is None or pairs[best] < MIN_COUNT:
                break
            words = {word: _merge(ids, best, FIRST_MERGED + len(merges)) for word, ids in words.items()}
            merges.append(best)
        return cls(merges)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`.

        Raises:
            CheckpointError: The text is something else.
        """
        try:
            values = json.loads(text)
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']!r}, expected {FORMAT!r}")
            return cls([(int(first), int(second)) for first, second in values["merges"]])
        except (ValueError, KeyError, TypeError) as error:
            problem = f"tokenizer.json cannot be read as a tokenizer ({type(error).__name__}: {error})."
            raise CheckpointError(problem, "Restore the checkpoint from a copy, or train again.") from error

    def to_json(self) -> str:
        """Content of tokenizer.json."""
        return json.dumps({"format": FORMAT, "merges": list(self._ranks)})

    def special(self, token: str) -> int:
        """The id of a special token; KeyError if there is none."""
        return {name: id_ for id_, name in enumerate(SPECIALS)}[token]

    def last_ids(self, count: int, vocabulary: int) -> list[int]:
        """The last `count` ids of a model with a vocabulary of this size that no text has, ascending, or fewer."""
        return list(range(max(vocabulary - count, FIRST_MERGED + len(self._ranks)), vocabulary))

    def encode(self, text: str) -> list[int]:
        """Ids of a text."""
        return [id_ for word in WORD.findall(text.encode()) for id_ in self._encode_word(word)]

    def _merge_word(self, word: bytes) -> list[int]:
        ids = _byte_ids(word)
        while len(ids) > 1:
            pair = min(pairwise(ids), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if pair not in self._ranks:
                break
            ids = _merge(ids, pair, FIRST_MERGED + self._ranks[pair])
        return ids


def _byte_ids(word: bytes) -> list[int]:
    return [len(SPECIALS) + byte for byte in word]


def _merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """Replace every occurrence of the pair, from the left, by one id."""
    merged: list[int] = []
    for id_ in ids:
        if merged and (merged[-1], id_) == pair:
            merged[-1] = new
        else:
            merged.append(id_)
    return merged


class PublishedTokenizer:
    """A tokenizer.json of Hugging Face's `tokenizers`, from its content. Special tokens are recognised in texts.

    Raises:
        CheckpointError: It is no tokenizer.
    """

    def __init__(self, text: str) -> None:
        from tokenizers import Tokenizer

        self._text = text
        try:
            self._tokenizer: Any = Tokenizer.from_str(text)
        except Exception as error:  # the library raises nothing more precise
            problem = f"tokenizer.json cannot be read as a tokenizer: {error}."
            raise CheckpointError(problem, "Get the file again.") from error
        self._added = frozenset(self._tokenizer.get_added_tokens_decoder())

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    @property
    def size(self) -> int:
        """Number of its ids, with added tokens."""
        return int(self._tokenizer.get_vocab_size())

    def knows(self, token: str) -> bool:
        """Whether a token has an id of its own."""
        return self._tokenizer.token_to_id(token) is not None

    def special(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return int(found)

    def last_ids(self, count: int, vocabulary: int) -> list[int]:
        """The last `count` ids that are not of added tokens, such as special ones, ascending, or fewer."""
        ids = (id_ for id_ in reversed(range(min(vocabulary, self.size))) if id_ not in self._added)
        return sorted(islice(ids, count))

    def to_json(self) -> str:
        return self._text


TextTokenizer = ByteTokenizer | PublishedTokenizer


def tokenizer_from_json(text: str) -> TextTokenizer:
    """The tokenizer of a checkpoint, of either kind.

    Raises:
        CheckpointError: The text is no tokenizer.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        problem = f"tokenizer.json cannot be read: {error}."
        raise CheckpointError(problem, "Restore the checkpoint from a copy.") from error
    return ByteTokenizer.from_json(text) if "merges" in values and "format" in values else PublishedTokenizer(text)
