"""A small backbone that is trained from scratch: ResNet-18 for images, and a causal transformer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from ambidex.errors import UsageError, check_name
from ambidex.policies.robovlms.backbones.backbone import Backbone, Cache, Kind, TokenSequence
from ambidex.policies.vision.images import prepare_images
from ambidex.policies.vision.resnet import ResNet18
from ambidex.policies.vision_language.attention import AUTO, SDPA
from ambidex.policies.vision_language.scratch import INITIAL_STD, CausalLayer

STRIDE = 32  # pixels per token, in each direction


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of the model.

    Attributes:
        image_size: Side of the square to which an image is resized [px], a multiple of 32.
        channels: Of ResNet-18's first layers; 64 as published.
        width: Of tokens.
        layers: Of the transformer.
        heads: Attention heads.
        vocabulary: Ids of the tokenizer.
    """

    image_size: int
    channels: int
    width: int
    layers: int
    heads: int
    vocabulary: int


class ScratchBackbone(Backbone):
    """Learned positions, and attention to all positions before. It has torch's own attention only."""

    sizes: ClassVar[Mapping[str, Shape]] = {
        "tiny": Shape(image_size=128, channels=16, width=128, layers=3, heads=4, vocabulary=768),
        "base": Shape(image_size=224, channels=64, width=384, layers=8, heads=6, vocabulary=1024),
    }
    context = 4096

    def __init__(self, size: str, instructions: Sequence[str], attention: str = AUTO, discrete: bool = False) -> None:
        check_name("size of the backbone scratch", size, self.sizes)
        if attention not in (AUTO, SDPA):
            problem = f"--attention {attention}: the backbone scratch has {SDPA} only."
            raise UsageError(problem, f"Use --attention {AUTO}.", field="attention", got=attention)
        shape = self.sizes[size]
        self.hidden_size, self.vocabulary, self._image_size = shape.width, shape.vocabulary, shape.image_size
        self.image_tokens = (shape.image_size // STRIDE) ** 2
        super().__init__(instructions, discrete)
        self.vision = ImageEncoder(shape.channels, shape.width)
        self.text = CausalTransformer(shape, self.context)

    @property
    def model(self) -> nn.Module:
        return self

    @property
    def vision_tower(self) -> nn.Module:
        return self.vision

    @property
    def text_tower(self) -> nn.Module:
        return self.text

    @property
    def word_embedding(self) -> nn.Embedding:
        return self.text.words

    def image_processor(self, images: Tensor) -> Tensor:
        return prepare_images(images, self._image_size, "bilinear")

    def encode_images(self, pixels: Tensor) -> Tensor:
        return self.vision(pixels)  # type: ignore[no-any-return]

    def last_states(self, sequence: TokenSequence, cache: Cache | None) -> Tensor:
        return self.text(sequence.embeddings, cache)  # type: ignore[no-any-return]

    def make_cache(self) -> Cache:
        return Cache(layers=[[] for _ in self.text.layers])

    def parts(self, request: str) -> tuple[str, str, str]:
        return "", "", request + "\n"


class ImageEncoder(nn.Module):
    """Pixels to tokens, one for each cell of ResNet-18's feature map.

    At first they are as large as positions and words. Larger ones would hide their position in the image from the
    transformer, whose layers normalise the sum: it then does not learn to look for small objects (docs/results.md).
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.resnet = ResNet18(channels, "group")
        self.norm = nn.LayerNorm(self.resnet.channels)
        self.project = nn.Linear(self.resnet.channels, width)
        nn.init.normal_(self.project.weight, std=INITIAL_STD / self.resnet.channels**0.5)
        nn.init.zeros_(self.project.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Shape (N, 3, S, S) -> (N, S / 32 * S / 32, D)."""
        cells = self.resnet(images).flatten(2).transpose(1, 2)  # (N, T, channels)
        return self.project(self.norm(cells))  # type: ignore[no-any-return]


class CausalTransformer(nn.Module):
    """Words, positions and layers of causal attention."""

    def __init__(self, shape: Shape, context: int) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(context, shape.width)
        for embedding in (self.words, self.positions):
            nn.init.normal_(embedding.weight, std=INITIAL_STD)
        self.layers = nn.ModuleList(CausalLayer(shape.width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Shape (B, S, D) -> the same; with a cache that is not empty, of one position of each row."""
        if cache is None or not cache.layers[0]:
            tokens, visible = tokens + self.positions.weight[: tokens.shape[1]].to(tokens.dtype), None
        else:
            seen = cache.kinds != Kind.PADDING  # (B, all positions)
            tokens = tokens + self.positions(seen.sum(1, keepdim=True) - 1).to(tokens.dtype)
            visible = seen[:, None, None]
        for index, layer in enumerate(self.layers):
            tokens = layer(tokens) if cache is None else layer(tokens, cache.layers[index], visible)
        return self.norm(tokens)  # type: ignore[no-any-return]
