"""The transformer layers of a policy, and gradient checkpointing of each."""

import sys
from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from ambidex.errors import UsageError
from ambidex.policies.policy import Policy

P = ParamSpec("P")
R = TypeVar("R")


def transformer_layers(policy: Policy, flag: str) -> list[nn.Module]:
    """The layers of the policy's own classes and of models of transformers.

    Args:
        policy: The policy.
        flag: What they are needed for, for the message.

    Raises:
        UsageError: There are none.
    """
    library = sys.modules.get("transformers.modeling_layers")  # imported if the policy has such a model
    classes = (*policy.layer_classes(), *((library.GradientCheckpointingLayer,) if library else ()))
    found = [module for module in policy.modules() if isinstance(module, classes)]
    if not found:
        problem = f"{flag}: {policy.name} has no transformer layers, or its layer_classes does not name them."
        raise UsageError(problem, "Leave it out.", policy=policy.name)
    return found


def checkpoint_layers(policy: Policy) -> None:
    """From now on keep only the inputs of each layer for the backward pass, which computes the rest again.

    Losses and gradients stay the same. Source: Chen et al., "Training Deep Nets with Sublinear Memory
    Cost", 2016.

    Raises:
        UsageError: The policy has no layers.
    """
    for layer in transformer_layers(policy, "--gradient-checkpointing"):
        layer.forward = _checkpointed(layer.forward)


def _checkpointed(forward: Callable[P, R]) -> Callable[P, R]:
    @wraps(forward)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if not torch.is_grad_enabled():
            return forward(*args, **kwargs)
        return checkpoint(partial(forward, **kwargs), *args, use_reentrant=False)  # type: ignore[no-any-return]

    return call
