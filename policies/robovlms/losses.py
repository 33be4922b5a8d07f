"""Losses of normalised actions and of action tokens, each a mean over what is not padding."""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor

Regression = Literal["huber", "mse"]


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """The mean of values (..., E) over the rows that are valid (...), a scalar; 0 without one."""
    return torch.where(valid[..., None], values, 0.0).sum() / (valid.sum() * values.shape[-1]).clamp(min=1)


def regression_loss(predicted: Tensor, actions: Tensor, valid: Tensor, kind: Regression, delta: float) -> Tensor:
    """Huber's loss or the squared error of normalised actions (..., A) over the valid rows (...), a scalar.

    Huber's is quadratic up to an error of `delta` and linear beyond.
    """
    predicted, actions = predicted.float(), actions.float()
    if kind == "mse":
        return masked_mean(F.mse_loss(predicted, actions, reduction="none"), valid)
    return masked_mean(F.huber_loss(predicted, actions, reduction="none", delta=delta), valid)


def gripper_loss(logits: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
    """Binary cross-entropy of grippers (..., G) that only open and close, over the valid rows (...), a scalar.

    Args:
        logits: Above 0 for the upper of both commands.
        actions: Normalised, -1 or 1.
        valid: Rows that are not padding.
    """
    wanted = (actions > 0).float()
    return masked_mean(F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none"), valid)


def token_loss(logits: Tensor, bins: Tensor, valid: Tensor) -> Tensor:
    """Cross-entropy over the action tokens.

    Args:
        logits: Of the action tokens alone, shape (..., A, bins).
        bins: The right ones, shape (..., A) int64.
        valid: Rows (...) that are not padding.
    """
    errors = F.cross_entropy(logits.float().flatten(0, -2), bins.flatten(), reduction="none").view_as(bins)
    return masked_mean(errors, valid)
