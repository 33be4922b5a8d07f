"""Loss of actions, and means over batches that are spread over several processes."""

import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor


def masked_huber(predicted: Tensor, actions: Tensor, is_pad: Tensor, delta: float) -> Tensor:
    """Huber's loss of normalised actions (B, K, A), averaged over the rows that are not padding (B, K), a scalar.

    The released UniAct takes rows of zeros for padding and so drops actions of a robot that really stands still; here
    padding is what the data marks as such. At an error of `delta` the loss changes from quadratic to linear.
    """
    valid = ~is_pad[..., None]  # (B, K, 1)
    errors = F.huber_loss(predicted.float(), actions.float(), reduction="none", delta=delta)
    return (errors * valid).sum() / (valid.sum().clamp(min=1) * actions.shape[-1])


def batch_mean(rows: Tensor, *, all_ranks: bool) -> Tensor:
    """The mean of rows (B, N), shape (N,).

    With `all_ranks` the rows of all processes that train together count, which must all call this. The gradient is that
    of the own rows; averaged over the processes, as DDP does, it is the gradient of the mean over all rows.
    """
    own = rows.mean(0)
    if not (all_ranks and dist.is_available() and dist.is_initialized()):
        return own
    total = own.detach().clone()
    dist.all_reduce(total)
    return total / dist.get_world_size() + (own - own.detach())  # the second term is 0 and has the gradient
