"""What the codebook chose."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """Universal actions of a batch, and where they come from.

    Attributes:
        actions: Universal actions, shape (B, W).
        codes: The code that weighs most in each, shape (B,) int64.
        divergence: KL divergence of the codes' probabilities from the uniform ones, averaged over the batch, a scalar
            in nats.
        information: How much the codes say about what they were chosen by, a scalar in nats.
    """

    actions: Tensor
    codes: Tensor
    divergence: Tensor
    information: Tensor
