"""Backbones through model classes of transformers, with published weights or from a configuration alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ambidex.errors import MissingPackageError, UsageError, check_name
from ambidex.policies.robovlms.backbones.backbone import Backbone, Cache, Kind, TokenSequence
from ambidex.policies.vision.images import HALF, prepare_images
from ambidex.policies.vision_language.attention import AUTO, FLASH, SDPA, AttentionSetting
from ambidex.policies.vision_language.tokenizers import PublishedTokenizer
from ambidex.policies.vision_language.weights import (
    CONFIG,
    PROCESSOR,
    TOKENIZER,
    load_head,
    load_strictly,
    missing_files,
    model_differences,
    read_text,
)

BICUBIC, LANCZOS = 3, 1
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """One size of a model.

    Attributes:
        config: The settings that affect the computation, as in config.json.
        image_size: Side of the square to which images are resized [px].
        image_tokens: Tokens of one image.
        parameters: Parameters of the published model; 0 if there is none of this size.
    """

    config: Mapping[str, Any]
    image_size: int
    image_tokens: int
    parameters: int = 0


class PretrainedBackbone(Backbone):
    """A model of transformers. A subclass is one file: its attributes, `parts`, and what is special in its family.

    Attributes:
        sizes: "published" is the size of `repository`, "tiny" is for tests.
        architecture: The model class without an output layer for words.
        repository: Where its weights are published, at huggingface.co.
        model_types: Its names in config.json; empty for the usual one.
        towers: Attributes of the model: its image encoder and its language model.
        special_tokens: Those that `parts` uses; a published tokenizer must have them.
        image_mean: Of the normalisation of images, one for each channel, in units of the brightest value.
        image_std: Likewise.
        resample: Filter of the published preparation of images, as Pillow numbers them; here it is bicubic.
        unused: Parts of the names of parameters on which neither states nor logits depend. They are frozen.
        flash: Whether flash_attention_2 can compute its attention.
        first_position: The id of the first position.
    """

    sizes: ClassVar[Mapping[str, ModelSize]]
    architecture: ClassVar[str]
    repository: ClassVar[str]
    model_types: ClassVar[tuple[str, ...]] = ()
    towers: ClassVar[tuple[str, str]] = ("vision_tower", "language_model")
    special_tokens: ClassVar[tuple[str, ...]] = ()
    image_mean: ClassVar[tuple[float, float, float]] = HALF
    image_std: ClassVar[tuple[float, float, float]] = HALF
    resample: ClassVar[int] = BICUBIC
    unused: ClassVar[tuple[str, ...]] = ()
    flash: ClassVar[bool] = True
    first_position: ClassVar[int] = 0

    def __init__(self, size: str, instructions: Sequence[str], attention: str = AUTO, discrete: bool = False) -> None:
        check_name(f"size of {type(self).__name__}", size, self.sizes)
        self._size, self._attention = self.sizes[size], AttentionSetting(self._checked(attention))
        kind = self._model_class()
        config = kind.config_class(**self._size.config)
        text = config.text_config
        self.hidden_size, self.vocabulary = text.hidden_size, text.vocab_size
        self.context, self.image_tokens = text.max_position_embeddings, self._size.image_tokens
        super().__init__(instructions, discrete)
        self.vlm = kind(config)
        own_head = discrete and not config.tie_word_embeddings
        self.head = nn.Linear(self.hidden_size, self.vocabulary, bias=False) if own_head else None
        for name, parameter in self.vlm.named_parameters():
            if any(part in name for part in self.unused):
                parameter.requires_grad_(False)

    @property
    def model(self) -> nn.Module:
        return self.vlm  # type: ignore[no-any-return]

    @property
    def vision_tower(self) -> nn.Module:
        return self.vlm.get_submodule(self.towers[0])  # type: ignore[no-any-return]

    @property
    def text_tower(self) -> nn.Module:
        return self.vlm.get_submodule(self.towers[1])  # type: ignore[no-any-return]

    @property
    def word_embedding(self) -> nn.Embedding:
        return self.vlm.get_input_embeddings()  # type: ignore[no-any-return]

    def image_processor(self, images: Tensor) -> Tensor:
        return prepare_images(images, self._size.image_size, "bicubic", self.image_mean, self.image_std)

    def encode_images(self, pixels: Tensor) -> Tensor:
        with self._attention.precision(self.vlm, pixels.device):
            return self.project_images(pixels)

    def project_images(self, pixels: Tensor) -> Tensor:
        """See `encode_images`."""
        return stacked(self.vlm.get_image_features(pixels).pooler_output)

    def last_states(self, sequence: TokenSequence, cache: Cache | None) -> Tensor:
        first = cache is None or cache.kinds.shape == sequence.kinds.shape
        arguments = self.positions_and_mask(sequence) if cache is None or first else self._following(cache)
        if cache is not None:
            arguments["past_key_values"] = cache.layers
        with self._attention.precision(self.vlm, sequence.embeddings.device):
            states = self.text_tower(inputs_embeds=sequence.embeddings, use_cache=cache is not None, **arguments)
        return states.last_hidden_state  # type: ignore[no-any-return]

    def make_cache(self) -> Cache:
        from transformers import DynamicCache

        return Cache(layers=DynamicCache())

    def _following(self, cache: Cache) -> dict[str, Any]:
        """Position ids and attention mask of the last position in a cache, which sees all others but padding."""
        return {
            "position_ids": self.positions(cache.kinds)[..., -1:],
            "attention_mask": (cache.kinds != Kind.PADDING).long(),
        }

    def positions(self, kinds: Tensor) -> Tensor:
        """Position ids (B, S), with further dimensions in front if the family has them; padding takes no position."""
        return self.first_position - 1 + (kinds != Kind.PADDING).cumsum(1)

    def positions_and_mask(self, sequence: TokenSequence) -> dict[str, Any]:
        """Position ids and attention mask of the family, as arguments of its language model.

        None are needed where positions are counted from the first one and attention is causal, which sees no padding on
        the right; fused kernels can be used then.
        """
        return {}

    @property
    def output_embedding(self) -> Tensor:
        return super().output_embedding if self.head is None else self.head.weight

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        missing = missing_files(folder, (CONFIG, TOKENIZER, PROCESSOR))
        if missing:
            problem = f"{folder} has no {', '.join(missing)}"
            types = cls.model_types or (cls._model_class().config_class.model_type,)
            other = [] if CONFIG in missing else model_differences(folder, types)
            problem += "".join(f", and in {CONFIG} {line}" for line in other) + "."
            raise UsageError(problem, cls._hint(), field="backbone_weights", path=folder, got=missing)

    def load_pretrained(self, folder: Path) -> str:
        self.check_folder(folder)
        tokenizer = PublishedTokenizer(read_text(folder / TOKENIZER))
        published = load_strictly(
            self._model_class(),
            folder,
            self._size.config,
            {"image_mean": list(self.image_mean), "image_std": list(self.image_std), "resample": self.resample},
            self._hint(),
            self.model_types,
            self._misfits(tokenizer),
        )
        head = None if self.head is None else load_head(folder, self.head.weight.shape)
        self.vlm.load_state_dict(published.state_dict())
        if self.head is not None and head is not None:
            self.head.load_state_dict({"weight": head})
        self.use_tokenizer(tokenizer)
        return f"{type(self).__name__} starts from {folder}. {self._attention.choose(self.vlm, self.vlm.device)}"

    def _misfits(self, tokenizer: PublishedTokenizer) -> list[str]:
        lines = [f"{token} is missing in {TOKENIZER}" for token in self.special_tokens if not tokenizer.knows(token)]
        if tokenizer.size > self.vocabulary:
            lines.append(f"{TOKENIZER} has {tokenizer.size} ids, the model {self.vocabulary}")
        return lines

    @classmethod
    def _hint(cls) -> str:
        return f"Get all files of {cls.repository}."

    def _checked(self, attention: str) -> str:
        if self.flash or attention not in (AUTO, FLASH):
            return attention
        if attention == AUTO:
            return SDPA
        problem = f"--attention {FLASH}: it cannot compute the attention of {type(self).__name__}."
        raise UsageError(problem, f"Use --attention {SDPA}.", field="attention", got=attention)

    @classmethod
    def _model_class(cls) -> Any:
        try:
            import transformers
        except ModuleNotFoundError as error:
            title = f"The backbone {cls.__name__}"
            raise MissingPackageError(error, "robovlms", title, ", or use --backbone scratch") from error
        return getattr(transformers, cls.architecture)


def stacked(features: Tensor | Sequence[Tensor]) -> Tensor:
    """The tokens of images of one size, of which some models return a list, one item for each."""
    return features if isinstance(features, Tensor) else torch.stack(tuple(features))
