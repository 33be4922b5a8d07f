"""AdamW with the backbone's own rate, and no decay where decay does harm."""

from collections.abc import Mapping

from torch import nn
from torch.optim import AdamW

from ambidex.policies.policy import Policy

UNDECAYED = (nn.Embedding, nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase, nn.RMSNorm)


def make_optimizer(
    policy: Policy, *, learning_rate: float, backbone_learning_rate: float, weight_decay: float
) -> AdamW:
    """AdamW (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019) in its fused form.

    Each group's own highest rate stands in its "initial_lr".
    """
    backbone = {id(parameter) for parameter in policy.backbone_parameters()}
    undecayed = _undecayed(policy)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in trained_parameters(policy).values():
        rate = backbone_learning_rate if id(parameter) in backbone else learning_rate
        decay = 0.0 if id(parameter) in undecayed else weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return AdamW(
        [
            {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def trained_parameters(policy: nn.Module) -> Mapping[str, nn.Parameter]:
    """Name -> parameter, of those that learn."""
    return {name: parameter for name, parameter in policy.named_parameters() if parameter.requires_grad}


def _undecayed(policy: nn.Module) -> set[int]:
    """Ids of the parameters of norms and embeddings, and of all vectors: biases, gates, single tokens."""
    return {
        id(parameter)
        for module in policy.modules()
        for parameter in module.parameters(recurse=False)
        if isinstance(module, UNDECAYED) or parameter.numel() == max(parameter.shape, default=1)
    }
