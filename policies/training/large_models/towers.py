"""Which weights of a vision-language model are trained: freezes its towers and adds LoRA, as the settings say."""

from typing import Protocol

from torch import nn

from ambidex.errors import UsageError
from ambidex.policies.training.large_models.lora import add_lora
from ambidex.policies.training.large_models.settings import TrainedWeights


class Towers(Protocol):
    """A vision-language model with its parts, a torch module."""

    @property
    def text_tower(self) -> nn.Module: ...

    @property
    def vision_tower(self) -> nn.Module: ...

    @property
    def word_embedding(self) -> nn.Module: ...


def choose_trained(model: Towers, settings: TrainedWeights) -> None:
    """Freeze parts of a new model and add LoRA to its text tower. What is frozen already stays frozen.

    Args:
        model: A module whose text tower has its layers in one `nn.ModuleList`.
        settings: What to train.

    Raises:
        UsageError: The text tower has fewer layers than are to be trained.
        MissingPackageError: LoRA is requested, and peft is not installed.
    """
    assert isinstance(model, nn.Module)
    words, vision, text = map(_ids, (model.word_embedding, model.vision_tower, model.text_tower))
    last = _last_layers(model.text_tower, settings.train_decoder_layers) if settings.train_decoder_layers else text
    for parameter in model.parameters():
        key = id(parameter)
        if key in words:
            trained = settings.train_text_embedding
        elif key in vision:
            trained = settings.train_vision
        else:
            trained = not settings.freeze_backbone and (key in last or not settings.train_decoder_layers)
        if not trained or (settings.lora_rank and key in text - words):
            parameter.requires_grad_(False)
    if settings.lora_rank:
        add_lora(model.text_tower, settings)


def _ids(module: nn.Module) -> set[int]:
    return {id(parameter) for parameter in module.parameters()}


def _last_layers(tower: nn.Module, count: int) -> set[int]:
    """Ids of the parameters of the last layers of a tower."""
    layers = max((list(each) for each in tower.modules() if isinstance(each, nn.ModuleList)), key=len, default=[])
    if len(layers) < count:
        problem = f"--train-decoder-layers {count}: the text tower has {len(layers)} layers."
        raise UsageError(problem, field="train_decoder_layers", got=count, expected=len(layers))
    return set().union(*map(_ids, layers[-count:]))
