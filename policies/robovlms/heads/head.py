"""Base classes of heads: a trunk over the window, which embodiments share, and layers to each one's actions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn


class Trunk(nn.Module, ABC):
    """Relates the observations of a window to one another, each to those before it only.

    Attributes:
        width: Dimensions of its features, F.
    """

    width: int

    @abstractmethod
    def forward(self, states: Tensor) -> Tensor:
        """Hidden states of learned tokens, oldest first, shape (B, H, D), to features, shape (B, H, F)."""


class ActionLayers(nn.Module, ABC):
    """Features to normalised chunks of one embodiment: K actions of A dimensions."""

    @abstractmethod
    def losses(self, features: Tensor, actions: Tensor, valid: Tensor) -> Mapping[str, Tensor]:
        """Loss terms by name, scalars; "loss" is their weighted sum.

        Args:
            features: Shape (N, F).
            actions: Normalised, shape (N, K, A).
            valid: Which rows are not padding, shape (N, K).
        """

    @abstractmethod
    def forward(self, features: Tensor, noise: Tensor | None) -> Tensor:
        """Normalised actions, shape (N, K, A) float32, from features (N, F).

        Args:
            features: Shape (N, F).
            noise: Gaussian, of the shape of the actions; for flow matching only.
        """
