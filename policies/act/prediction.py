"""What ACT's network gives."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """One chunk for each sample.

    Attributes:
        actions: Normalised, shape (B, K, A).
        padding: Logits of "beyond the end of the episode", shape (B, K); None without that head.
    """

    actions: Tensor
    padding: Tensor | None
