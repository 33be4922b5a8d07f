"""The error of actions."""

import torch.distributed as dist
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


# FOLDED policies.uniact.batch_mean: Means over a batch, some of whose rows may lie in other processes.


def batch_mean(rows: Tensor, *, whole: bool) -> Tensor:
    """The mean of rows (B, N), shape (N,).

    Args:
        rows: Those of this process.
        whole: Take in the rows of all processes that train together, which all have to call this. The gradient is that
            of the own rows: averaged over the processes, as theirs are, it is the gradient of the mean over all rows.
    """
    own = rows.mean(0)
    if not (whole and dist.is_available() and dist.is_initialized()):
        return own
    total = own.detach().clone()
    dist.all_reduce(total)
    return total / dist.get_world_size() + (own - own.detach())  # what is added is 0 and has the gradient
