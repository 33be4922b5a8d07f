"""Prompts of a batch as one tensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompts:
    """Ids of B prompts, shorter ones with some id on the right. With causal attention nothing before sees that.

    Attributes:
        ids: Shape (B, L) int64.
        last: Where each prompt's last real token is, shape (B,) int64.
    """

    ids: Tensor
    last: Tensor

    @classmethod
    def of(cls, prompts: Sequence[Sequence[int]], device: torch.device, least: int = 0) -> Self:
        """Prompts of one token or more each, filled up to the longest and to `least`."""
        longest = max(least, *map(len, prompts))
        rows = [[*prompt, *[prompt[-1]] * (longest - len(prompt))] for prompt in prompts]
        ids = torch.tensor(rows).to(device, non_blocking=True)
        last = torch.tensor([len(prompt) - 1 for prompt in prompts]).to(device, non_blocking=True)
        return cls(ids=ids, last=last)


def at(states: Tensor, places: Tensor) -> Tensor:
    """Of each row of (B, S, D) the state at its place (B,), shape (B, D)."""
    return states[torch.arange(len(states), device=states.device), places]
