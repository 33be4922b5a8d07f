"""Dropout that is quick on a CPU too."""

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

BYTE = 256


class Dropout(nn.Module):
    """Sets a share of the activations to zero in training and scales the others up, so that the mean stays.

    On a CPU torch draws one number for each activation, which takes a fifth of ACT's training step. Here one byte is
    drawn for each, eight at once, so there the share is a multiple of 1/256 (26/256 for 0.1).

    Args:
        share: Share of activations dropped.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        if not self.active:
            return x
        return x * _kept(x, self.share) if draws_bytes(x) else F.dropout(x, self.share)

    @property
    def active(self) -> bool:
        """Whether anything is dropped."""
        return self.training and self.share > 0


def draws_bytes(x: Tensor) -> bool:
    """Whether dropout of this tensor draws bytes; a compiler does better on its own."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _kept(x: Tensor, share: float) -> Tensor:
    """Zero for what is dropped and the scale for what is kept, like `x`."""
    dropped = round(share * BYTE)  # of the 256 values of a byte, those that drop
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    drawn = words.view(torch.uint8)[: x.numel()].view(x.shape)
    return drawn.to(x.dtype).ge_(dropped).mul_(BYTE / (BYTE - dropped))
