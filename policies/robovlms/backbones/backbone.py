"""The interface of a backbone: a vision-language model that takes sequences of embeddings.

Source of the interface: Li et al., "Towards Generalist Robot Policies: What Matters in Building Vision-Language-Action
Models", 2024.

B sequences of S positions, N images of T tokens each, D the width of tokens.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.errors import UsageError
from ambidex.policies.policy import never_compiled
from ambidex.policies.vision_language.tokenizers import ByteTokenizer, TextTokenizer, tokenizer_from_json

ACTION_IDS = 256  # ids that a trained tokenizer leaves free at the end of the vocabulary
DISCRETE_REQUEST = "What actions should the robot take to {}?"


class Kind(IntEnum):
    """What a position of a sequence is. A backbone makes position ids and attention from it."""

    PADDING = 0
    TEXT = 1
    """Of the prompt."""
    IMAGE = 2
    LEARNED = 3
    """A readout or the state of the robot: it sees all before it, and positions before it never see it."""
    ACTION = 4
    """An action as a word: it sees all before it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenSequence:
    """Embeddings of B sequences, shorter ones padded on the right.

    Attributes:
        embeddings: Shape (B, S, D).
        kinds: A `Kind` for each position, shape (B, S) int64.
    """

    embeddings: Tensor
    kinds: Tensor

    @classmethod
    def of(cls, embeddings: Tensor, kind: Kind) -> Self:
        """Positions of one kind, without padding, from embeddings (B, S, D)."""
        kinds = torch.full(embeddings.shape[:2], kind, dtype=torch.int64, device=embeddings.device)
        return cls(embeddings=embeddings, kinds=kinds)

    @classmethod
    def joined(cls, *parts: Self) -> Self:
        """Parts of the same B in a row, with the padding of all of them at the end."""
        embeddings = torch.cat([part.embeddings for part in parts], dim=1)  # (B, S, D)
        kinds = torch.cat([part.kinds for part in parts], dim=1)  # (B, S)
        order = (kinds == Kind.PADDING).int().argsort(dim=1, stable=True)
        return cls(embeddings=_rows(embeddings, order), kinds=kinds.gather(1, order))

    def select(self, states: Tensor, kind: Kind, count: int) -> Tensor:
        """States (B, S, D) at the first `count` positions of a kind: (B, count, D).

        Where a row has fewer, states at other positions follow, which the caller must not use.
        """
        order = (self.kinds != kind).int().argsort(dim=1, stable=True)[:, :count]
        return _rows(states, order)

    @property
    def length(self) -> int:
        """Positions of each sequence, S, with padding."""
        return self.kinds.shape[1]


@dataclass(kw_only=True, eq=False)
class Cache:
    """What a model keeps of the positions that it has seen, so that later ones do not compute them again.

    Attributes:
        layers: Keys and values of each layer, as the model keeps them.
        kinds: A `Kind` for each position, shape (B, S) int64, with padding between those of two passes.
    """

    layers: Any
    kinds: Tensor = field(default_factory=lambda: torch.empty(0))

    def extend(self, kinds: Tensor) -> None:
        """Add the positions of a pass, (B, Q)."""
        self.kinds = torch.cat((self.kinds, kinds), dim=1) if self.kinds.numel() else kinds


def _rows(values: Tensor, order: Tensor) -> Tensor:
    """Values (B, S, D) at positions (B, Q): (B, Q, D)."""
    return values.gather(1, order[..., None].expand(-1, -1, values.shape[-1]))


def _padded(rows: Sequence[tuple[int, ...]], at_least: int) -> Tensor:
    """Rows of ids right-padded with -1 to the longest and to a length."""
    length = max(at_least, *map(len, rows))
    return torch.tensor([[*row, *[-1] * (length - len(row))] for row in rows], dtype=torch.int64)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """Token ids around the images of an instruction: `before` the first, `between` two of them, `after` the last."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]


class Backbone(nn.Module, ABC):
    """A vision-language model.

    Constructed as `cls(size, instructions, attention, discrete)`, see `make_backbone`; `load_pretrained` or a
    checkpoint's tensors may follow.

    Attributes:
        tokenizer: The tokenizer in use. Like weights it belongs to a checkpoint.
        hidden_size: Width of tokens, D.
        vocabulary: Number of token ids.
        context: Most positions of a sequence.
        image_tokens: Tokens of one image, T.
        sizes: The shapes it can have, by name.
        discrete: Whether it predicts actions as words, by `logits`.
    """

    sizes: ClassVar[Mapping[str, Any]]
    hidden_size: int
    vocabulary: int
    context: int
    image_tokens: int
    tokenizer: TextTokenizer
    _prompts: Mapping[str, Prompt] | None

    def __init__(self, instructions: Sequence[str], discrete: bool) -> None:
        super().__init__()
        self.discrete, self.tokenizer = discrete, ByteTokenizer(())
        self.set_instructions(instructions)

    # The model.

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """The whole model."""

    @property
    @abstractmethod
    def vision_tower(self) -> nn.Module:
        """The image encoder, without its projection to the width of tokens."""

    @property
    @abstractmethod
    def text_tower(self) -> nn.Module:
        """The language model, with its embedding of words."""

    @property
    @abstractmethod
    def word_embedding(self) -> nn.Embedding:
        """The embedding of token ids."""

    @property
    def layer_classes(self) -> tuple[type[nn.Module], ...]:
        """Classes of the transformer layers of both towers, the units of gradient checkpointing and of sharding."""
        lists = [each for tower in (self.vision_tower, self.text_tower) for each in tower.modules()]
        layers = [layer for each in lists if isinstance(each, nn.ModuleList) for layer in each]
        return tuple(dict.fromkeys(type(layer) for layer in layers))

    @abstractmethod
    def image_processor(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W) uint8 of any size to pixel values (N, 3, S, S)."""

    @abstractmethod
    def encode_images(self, pixels: Tensor) -> Tensor:
        """Pixel values (N, 3, S, S) to tokens of the language model (N, T, D)."""

    @abstractmethod
    def last_states(self, sequence: TokenSequence, cache: Cache | None) -> Tensor:
        """See `forward`, for a sequence that is not too long. The cache has the kinds of this sequence already."""

    @abstractmethod
    def make_cache(self) -> Cache:
        """An empty cache for `forward`."""

    @property
    def output_embedding(self) -> Tensor:
        """What states are multiplied with for the scores of token ids, shape (vocabulary, D)."""
        return self.word_embedding.weight

    def logits(self, states: Tensor, ids: Tensor) -> Tensor:
        """Last hidden states (..., D) to scores of some token ids (N,) as the next token, shape (..., N)."""
        return F.linear(states, self.output_embedding[ids].to(states.dtype))

    def forward(self, sequence: TokenSequence, cache: Cache | None = None) -> Tensor:
        """The last hidden states, shape (B, S, D); at padding they mean nothing.

        Args:
            sequence: All positions; or those that follow the ones of the cache, one of each row, without padding.
            cache: Where keys and values are kept, for inference.

        Raises:
            UsageError: The sequence is longer than the model's context.
        """
        if cache is not None:
            cache.extend(sequence.kinds)
        self.check_length(
            (sequence if cache is None else cache).kinds.shape[1], "a sequence of images, prompts and readouts"
        )
        return self.last_states(sequence, cache)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids (...) to embeddings (..., D)."""
        return self.word_embedding(ids)  # type: ignore[no-any-return]

    # Prompts.

    @abstractmethod
    def parts(self, request: str) -> tuple[str, str, str]:
        """The text before the first image, between two images, and after the last one; the last holds the request."""

    def prompt(self, instruction: str) -> Prompt:
        """The prompt of an instruction.

        Raises:
            UsageError: With one image it is longer than the model's context.
        """
        before, between, after = (tuple(self.tokenizer.encode(text)) for text in self._parts(instruction))
        prompt = Prompt(before=before, between=between, after=after)
        self.check_length(len(before) + self.image_tokens + len(after), f"the prompt of {instruction[:60]!r}")
        return prompt

    def assemble(self, images: Tensor, instructions: Sequence[str]) -> TokenSequence:
        """The prompts of B instructions around the tokens of V images each, shape (B, V, T, D).

        In evaluation mode texts are padded to the longest of the training data, so that the shape of a batch, and with
        it the order of sums, does not depend on other requests (docs/decisions/0010).
        """
        ids = self._prompt_ids(tuple(instructions))
        before, between, after = (self.embed_rows(rows.to(images.device, non_blocking=True)) for rows in ids)
        parts = [before]
        for view in range(images.shape[1]):
            parts += [between] if view else []
            parts.append(TokenSequence.of(images[:, view].to(before.embeddings.dtype), Kind.IMAGE))
        return TokenSequence.joined(*parts, after)

    def embed_rows(self, ids: Tensor, kind: Kind = Kind.TEXT) -> TokenSequence:
        """Token ids (B, L), right-padded with -1, as a sequence."""
        kinds = torch.where(ids < 0, Kind.PADDING, kind)
        return TokenSequence(embeddings=self.embed(ids.clamp(min=0)), kinds=kinds)

    @never_compiled  # ids are looked up in Python
    def _prompt_ids(self, instructions: tuple[str, ...]) -> tuple[Tensor, ...]:
        """The ids of B prompts before, between and after images, (B, L) each, right-padded with -1."""
        known = self._known_prompts()
        prompts = [known.get(text) or self.prompt(text) for text in instructions]
        longest = 0 if self.training else max((len(each.after) for each in known.values()), default=0)
        parts = (
            [each.before for each in prompts],
            [each.between for each in prompts],
            [each.after for each in prompts],
        )
        return tuple(_padded(rows, at_least) for rows, at_least in zip(parts, (0, 0, longest), strict=True))

    def longest_prompt(self, views: int) -> int:
        """Positions of the longest prompt of the training data with this many images, whose tokens count."""
        texts = (len(p.before) + (views - 1) * len(p.between) + len(p.after) for p in self._known_prompts().values())
        return views * self.image_tokens + max(texts, default=0)

    def _known_prompts(self) -> Mapping[str, Prompt]:
        """The prompts of the training data, by instruction."""
        if self._prompts is None:
            self._prompts = {text: self.prompt(text) for text in self._instructions}
        return self._prompts

    def _parts(self, instruction: str) -> tuple[str, str, str]:
        return self.parts(DISCRETE_REQUEST.format(instruction) if self.discrete else instruction)

    def check_length(self, length: int, what: str) -> None:
        """Check that this many positions fit.

        Raises:
            UsageError: There are more than the model's context.
        """
        if length > self.context:
            problem = f"{type(self).__name__}: {what} has {length} tokens, at most {self.context} are possible."
            hint = "Shorten the instruction, the history or, for actions as words, the chunk, or use fewer cameras."
            raise UsageError(problem, hint, got=length, expected=self.context)

    # Words and files.

    def action_ids(self, count: int) -> list[int]:
        """The last `count` token ids before the special ones, ascending: actions as words replace rare words.

        Raises:
            UsageError: There are fewer, or, of a `ByteTokenizer`, fewer that no instruction uses.
        """
        ids = self.tokenizer.last_ids(count, self.vocabulary)
        if len(ids) < count:
            problem = f"--bins {count}: {type(self).__name__} has {len(ids)} token ids for action words."
            raise UsageError(problem, f"Give --bins {len(ids)} or less.", field="bins", got=count, expected=len(ids))
        return ids

    def set_instructions(self, instructions: Sequence[str]) -> None:
        """Set the instructions of the training data. A `ByteTokenizer` is trained on them; a published one is kept."""
        self._instructions, self._prompts = tuple(instructions), None
        if isinstance(self.tokenizer, ByteTokenizer):
            texts = [text for instruction in instructions for text in self._parts(instruction)]
            self.use_tokenizer(ByteTokenizer.train(texts, self._trained_ids()))

    def use_tokenizer(self, tokenizer: TextTokenizer) -> None:
        """Use this tokenizer from now on."""
        self.tokenizer = tokenizer
        self._prompts = None

    def load_tokenizer(self, text: str) -> None:
        """Use the tokenizer of a checkpoint.

        Raises:
            CheckpointError: The text is no tokenizer.
        """
        self.use_tokenizer(tokenizer_from_json(text))

    def _trained_ids(self) -> int:
        return self.vocabulary - ACTION_IDS

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        """Check that a folder has all files that `load_pretrained` will read, before anything slow is done.

        Raises:
            UsageError: It lacks some, all of which are named; or there are no published weights for this backbone.
        """
        raise cls._without_weights(folder)

    def load_pretrained(self, folder: Path) -> str:
        """Load the published weights and tokenizer of a folder; returns a sentence about their source.

        Raises:
            CheckpointError: They are of another model, incomplete or unreadable; the message lists every misfit, and
                nothing is loaded.
            UsageError: See `check_folder`.
        """
        raise self._without_weights(folder)

    @classmethod
    def _without_weights(cls, folder: Path) -> UsageError:
        problem = f"{cls.__name__} has no published weights, got the folder {folder}."
        return UsageError(problem, "Leave out the folder.", field="backbone_weights", path=folder)
