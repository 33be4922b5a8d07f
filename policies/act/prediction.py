"""What ACT's network gives."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """In normalised units.

    Attributes:
        actions: Shape (B, K, A).
        padding: Logits of "beyond the end of the episode", shape (B, K); None without that head.
        mean: Mean of the latent variable, shape (B, latent); None when it was not inferred.
        log_variance: Logarithm of its variance, likewise.
    """

    actions: Tensor
    padding: Tensor | None
    mean: Tensor | None
    log_variance: Tensor | None
