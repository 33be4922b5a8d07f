"""The error of actions."""

import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor


def masked_huber(predicted: Tensor, actions: Tensor, is_pad: Tensor, delta: float) -> Tensor:
    """Huber's loss (B, K, A), averaged over the rows that are not padding (B, K), a scalar.

    The released UniAct takes rows of zeros for padding, and so forgets those that a robot really made; here padding is
    what the data say it is.

    Args:
        predicted: Normalised actions.
        actions: What they should be.
        is_pad: Rows beyond the end of the episode.
        delta: Where the square becomes a line.
    """
    valid = ~is_pad[..., None]  # (B, K, 1)
    errors = F.huber_loss(predicted.float(), actions.float(), reduction="none", delta=delta)
    return (errors * valid).sum() / (valid.sum().clamp(min=1) * actions.shape[-1])
