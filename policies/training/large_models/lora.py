"""LoRA through peft: small trained matrices beside frozen linear layers.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ambidex.errors import MissingPackageError
from ambidex.policies.training.large_models.settings import TrainedWeights

EXTRA = "robovlms"


def add_lora(tower: nn.Module, settings: TrainedWeights) -> None:
    """Put LoRA beside every linear layer of a new tower, in place, and freeze the layers' own weights.

    The names of these weights get the part `base_layer`, and those of LoRA are beside it, so a checkpoint with LoRA is
    loaded strictly by a model with LoRA of the same rank. At first the outputs are those without LoRA. Works on the
    meta device.

    Args:
        tower: Its linear layers are wrapped, except output layers that share their weights with embeddings.
        settings: Rank, alpha and dropout.

    Raises:
        MissingPackageError: peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, EXTRA, "LoRA") from error
    embeddings = {id(module.weight) for module in tower.modules() if isinstance(module, nn.Embedding)}
    linear = {name: module for name, module in tower.named_modules() if isinstance(module, nn.Linear)}
    targets = [name for name, module in linear.items() if id(module.weight) not in embeddings]
    wrapped = {id(parameter) for name in targets for parameter in linear[name].parameters()}
    trained = [each for each in tower.parameters() if each.requires_grad and id(each) not in wrapped]
    config = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=targets,
    )
    inject_adapter_in_model(config, tower)
    for parameter in trained:  # peft has frozen everything except LoRA
        parameter.requires_grad_(True)


@contextmanager
def without_lora(module: nn.Module) -> Iterator[None]:
    """Within the block the module has its own linear layers only, with the names that they have without LoRA.

    For loading published weights, which know nothing of LoRA, strictly.
    """
    found = _lora_layers(module)
    for parent, name, layer in found:
        setattr(parent, name, layer.get_submodule("base_layer"))
    try:
        yield
    finally:
        for parent, name, layer in found:
            setattr(parent, name, layer)


@torch.no_grad()
def merged_state(module: nn.Module) -> dict[str, Tensor]:
    """The state dict with LoRA added to the weights: for a module without LoRA, which then has the same outputs."""
    names = {id(child): name for name, child in module.named_modules()}
    layers = [(names[id(layer)], layer) for _, _, layer in _lora_layers(module)]
    with without_lora(module):
        state: dict[str, Tensor] = module.state_dict()
    for name, layer in layers:
        added = sum(layer.get_delta_weight(adapter) for adapter in layer.active_adapters)  # type: ignore[operator,union-attr]
        state[f"{name}.weight"] = state[f"{name}.weight"] + added
    return state


def _lora_layers(module: nn.Module) -> list[tuple[nn.Module, str, nn.Module]]:
    """Every linear layer with LoRA, with its parent and its name there."""
    return [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if hasattr(child, "base_layer") and hasattr(child, "merge")
    ]
