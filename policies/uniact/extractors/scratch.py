"""The extractor that is trained from scratch: a small causal transformer over image and instruction tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.errors import UsageError
from ambidex.policies.uniact.extractors.extractor import Extractor, prepare_images, select_states
from ambidex.policies.uniact.extractors.tokenizers import END, FIRST_MERGED, ByteTokenizer
from ambidex.policies.vision.resnet import GroupNorm2d

STRIDE = 16  # pixels per token, in each direction
MAX_LENGTH = 256  # ids of an instruction with its end token
INITIAL_STD = 0.02  # of embeddings and positions


@dataclass(frozen=True, kw_only=True)
class ScratchShape:
    """Sizes of the extractor that is trained from scratch.

    Raises:
        UsageError: They do not go together.
    """

    image_size: int = 96
    """Side of the square to which the main camera's image is resized [px], a multiple of 16."""
    width: int = 96
    """Width of tokens."""
    layers: int = 3
    """Layers of the transformer."""
    heads: int = 4
    """Attention heads."""
    vocabulary: int = 512
    """Ids of the tokenizer, 259 or more."""

    def __post_init__(self) -> None:
        if self.image_size < STRIDE or self.image_size % STRIDE:
            raise UsageError(f"UniAct: scratch.image_size must be a multiple of {STRIDE}, got {self.image_size}.")
        if self.layers < 1 or self.heads < 1 or self.width < 1 or self.width % (8 * self.heads):
            raise UsageError(
                "UniAct: scratch.layers must be 1 or more and scratch.width a multiple of 8 times scratch.heads, got "
                f"{self.layers} layers, width {self.width} and {self.heads} heads."
            )
        if self.vocabulary < FIRST_MERGED:
            raise UsageError(f"UniAct: scratch.vocabulary must be {FIRST_MERGED} or more, got {self.vocabulary}.")


class ScratchExtractor(Extractor):
    """Tokens of the image, then of the instruction and its end, through a causal transformer."""

    def __init__(self, shape: ScratchShape, instructions: Sequence[str]) -> None:
        self._vocabulary, self._image_size = shape.vocabulary, shape.image_size
        super().__init__(shape.width, instructions)
        self.front = ImageTokens(shape.width)
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.cells = (shape.image_size // STRIDE) ** 2
        self.positions = nn.Embedding(self.cells + MAX_LENGTH, shape.width)
        for embedding in (self.words, self.positions):
            nn.init.normal_(embedding.weight, std=INITIAL_STD)
        self.layers = nn.ModuleList(CausalLayer(shape.width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        prompts = self.prompts(instructions, images.device)
        image_tokens = self.front(prepare_images(images, self._image_size, "bilinear"))  # (B, cells, D)
        tokens = torch.cat((image_tokens, self.words(prompts.ids).to(image_tokens.dtype)), dim=1)  # (B, S, D)
        tokens = tokens + self.positions.weight[: tokens.shape[1]].to(tokens.dtype)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.norm(select_states(tokens, self.cells + prompts.last))  # type: ignore[no-any-return]

    def train_tokenizer(self, texts: Sequence[str]) -> ByteTokenizer:
        return ByteTokenizer.train(texts, self._vocabulary)

    def load_tokenizer(self, text: str) -> None:
        self.use_tokenizer(ByteTokenizer.from_json(text))

    def prompt(self, instruction: str) -> list[int]:
        ids = [*self.tokenizer.encode(instruction), self.tokenizer.special(END)]
        if len(ids) > MAX_LENGTH:
            problem = (
                f"The instruction {instruction[:60]!r}... has {len(ids)} tokens, at most {MAX_LENGTH} are possible."
            )
            raise UsageError(problem, "Shorten it.", got=len(ids), expected=MAX_LENGTH)
        return ids


class ImageTokens(nn.Module):
    """Pixels to tokens of a width divisible by 8: four convolutions of stride two, one token per remaining cell."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = (3, width // 8, width // 4, width // 2, width)
        layers: list[nn.Module] = []
        for inside, outside in pairwise(channels):
            layers += [nn.Conv2d(inside, outside, 3, 2, padding=1, bias=False), GroupNorm2d(1, outside), nn.GELU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Shape (B, 3, S, S) -> (B, S / 16 * S / 16, D)."""
        return self.layers(images).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


class CausalLayer(nn.Module):
    """Causal self-attention and feed-forward, each with a norm before it and a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feedforward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (B, S, D) -> the same."""
        tokens = tokens + self.out(self._attend(self.norm1(tokens)))
        return tokens + self.feedforward(self.norm2(tokens))  # type: ignore[no-any-return]

    def _attend(self, tokens: Tensor) -> Tensor:
        parts = self.query_key_value(tokens).chunk(3, dim=-1)  # (B, S, D) each
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)  # (B, heads, S, D / heads)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.transpose(1, 2).flatten(2)
