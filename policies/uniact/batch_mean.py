"""Means over a batch, some of whose rows may lie in other processes."""

import torch.distributed as dist
from torch import Tensor


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
