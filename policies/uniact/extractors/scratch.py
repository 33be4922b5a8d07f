"""The extractor that is trained from scratch: a small causal transformer over image and instruction tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ambidex.errors import UsageError
from ambidex.policies.uniact.extractors.extractor import Extractor, select_states
from ambidex.policies.vision.images import prepare_images
from ambidex.policies.vision_language.scratch import INITIAL_STD, STRIDE, CausalLayer, ImageTokens, ScratchShape
from ambidex.policies.vision_language.tokenizers import END, ByteTokenizer

MAX_LENGTH = 256  # ids of an instruction with its end token


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
