"""Linear layers that say the same in other units."""

import torch
from torch import nn

from ambidex.policies.normalization import Normalization


@torch.no_grad()
def reread(layer: nn.Linear, old: Normalization, new: Normalization) -> None:
    """Have a layer take what is normalised by `new` for what it took normalised by `old`, D dimensions each."""
    layer.bias.add_(layer.weight @ ((new.mean - old.mean) / old.std))
    layer.weight.mul_(new.std / old.std)


@torch.no_grad()
def rewrite(layer: nn.Linear, old: Normalization, new: Normalization) -> None:
    """Have a layer that gave rows of D dimensions normalised by `old`, one or several at once, give them by `new`."""
    rows = len(layer.bias) // len(old.mean)
    scale, shift = (old.std / new.std).repeat(rows), ((old.mean - new.mean) / new.std).repeat(rows)
    layer.weight.mul_(scale[:, None])
    layer.bias.mul_(scale).add_(shift)
