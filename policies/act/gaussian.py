"""A Gaussian with independent dimensions."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussian:
    """What the CVAE encoder believes about the latent variable.

    Attributes:
        mean: Shape (B, latent).
        log_variance: Natural logarithm of the variance, likewise.
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self) -> Tensor:
        """A draw that gradients pass through (the reparametrisation of Kingma & Welling, 2013), shape (B, latent)."""
        return self.mean + torch.randn_like(self.mean) * (self.log_variance / 2).exp()

    def divergence(self) -> Tensor:
        """KL divergence from a standard Gaussian: summed over dimensions, averaged over the batch, a scalar."""
        terms = self.mean.square() + self.log_variance.exp() - 1 - self.log_variance
        return terms.sum(-1).mean() / 2
