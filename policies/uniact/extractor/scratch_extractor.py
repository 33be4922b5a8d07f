"""The extractor that needs no published weights: sizes tiny and base."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ambidex.errors import UsageError
from ambidex.policies.uniact.extractor.byte_tokenizer import END, ByteTokenizer
from ambidex.policies.uniact.extractor.causal_layer import CausalLayer
from ambidex.policies.uniact.extractor.extractor import Extractor
from ambidex.policies.uniact.extractor.image_preparation import prepared
from ambidex.policies.uniact.extractor.prompts import at
from ambidex.policies.uniact.extractor.scratch_shape import STRIDE, ScratchShape
from ambidex.policies.uniact.extractor.vision_front import VisionFront

LONGEST = 256  # ids of an instruction with its end
FIRST_STD = 0.02  # of embeddings and positions


class ScratchExtractor(Extractor):
    """Tokens of the image, then of the instruction and its end, through a causal transformer.

    Args:
        shape: Sizes.
        texts: The instructions of the training data, of which the tokenizer learns.
    """

    def __init__(self, shape: ScratchShape, texts: Sequence[str]) -> None:
        self._vocabulary, self._image_size = shape.vocabulary, shape.image_size
        super().__init__(shape.width, texts)
        self.front = VisionFront(shape.width)
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.cells = (shape.image_size // STRIDE) ** 2
        self.positions = nn.Embedding(self.cells + LONGEST, shape.width)
        for embedding in (self.words, self.positions):
            nn.init.normal_(embedding.weight, std=FIRST_STD)
        self.layers = nn.ModuleList(CausalLayer(shape.width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, images: Tensor, instructions: Sequence[str]) -> Tensor:
        """See `Extractor`."""
        prompts = self.prompts(instructions, images.device)
        seen = self.front(prepared(images, self._image_size, "bilinear"))  # (B, cells, D)
        tokens = torch.cat((seen, self.words(prompts.ids).to(seen.dtype)), dim=1)  # (B, S, D)
        tokens = tokens + self.positions.weight[: tokens.shape[1]].to(tokens.dtype)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.norm(at(tokens, self.cells + prompts.last))  # type: ignore[no-any-return]

    def learned_tokenizer(self, texts: Sequence[str]) -> ByteTokenizer:
        """See `Extractor`."""
        return ByteTokenizer.learned(texts, self._vocabulary)

    def read_tokenizer(self, text: str) -> None:
        """See `Extractor`."""
        self.use_tokenizer(ByteTokenizer.from_json(text))

    def prompt(self, instruction: str) -> list[int]:
        """See `Extractor`."""
        ids = [*self.tokenizer.encode(instruction), self.tokenizer.special(END)]
        if len(ids) > LONGEST:
            raise UsageError(
                f"The instruction {instruction[:60]!r}... has {len(ids)} tokens; this policy reads {LONGEST} at most. "
                "Shorten it."
            )
        return ids
