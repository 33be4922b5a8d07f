"""Base class of interpreters, their sizes, and the blind interpreter of training."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class InterpreterSizes:
    """Sizes of an interpreter's inputs, outputs and layers.

    Attributes:
        views: Number of cameras, V.
        channels: Channels of the image features, C.
        code_width: Dimensions of a universal action, W.
        proprio: Dimensions of proprioception, P.
        actions: Dimensions of an action, A.
        chunk: Actions per prediction, K.
        d_model: Width of tokens, D.
        heads: Attention heads.
        feedforward: Hidden width of feed-forward layers.
        encoder_layers: Layers of the encoder.
        decoder_layers: Layers of the decoder.
    """

    views: int
    channels: int
    code_width: int
    proprio: int
    actions: int
    chunk: int
    d_model: int
    heads: int
    feedforward: int
    encoder_layers: int
    decoder_layers: int


class Interpreter(nn.Module, ABC):
    """Maps a universal action, image features and proprioception to the next actions of an embodiment.

    Attributes:
        proprio: The layer that reads proprioception; None if it does not use it.
        head: The layer that gives actions.
    """

    proprio: nn.Linear | None
    head: nn.Linear

    def __init__(self, sizes: InterpreterSizes) -> None:
        super().__init__()
        self.chunk, self.action_size = sizes.chunk, sizes.actions

    @abstractmethod
    def forward(self, features: Tensor, universal: Tensor, proprio: Tensor) -> Tensor:
        """Normalised actions, shape (B, K, A) float32.

        Args:
            features: Of the cameras, shape (B, V, C, h, w).
            universal: Shape (B, W).
            proprio: Normalised, shape (B, P).
        """


class BlindInterpreter(nn.Module):
    """A linear layer from universal actions alone to actions. Its loss gives codes a meaning; it is not used later.

    An interpreter with all inputs may learn to ignore codes; this one cannot.
    """

    def __init__(self, width: int, chunk: int, actions: int) -> None:
        super().__init__()
        self._shape = (chunk, actions)
        self.head = nn.Linear(width, chunk * actions)

    def forward(self, universal: Tensor) -> Tensor:
        """Universal actions (B, W) to normalised actions (B, K, A)."""
        return self.head(universal).float().unflatten(-1, self._shape)  # type: ignore[no-any-return]
