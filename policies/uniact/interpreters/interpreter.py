"""What every interpreter is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

# FOLDED policies.uniact.interpreters.interpreter_sizes: Sizes of an interpreter.


@dataclass(frozen=True, kw_only=True)
class InterpreterSizes:
    """What an interpreter has to do with, and how large it is.

    Attributes:
        views: Cameras, V.
        channels: Of the image features, C.
        code_width: Dimensions of a universal action, W.
        proprio: Dimensions of proprioception, P.
        actions: Dimensions of an action, A.
        chunk: Actions at once, K.
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
    """A universal action, what the cameras see and where the robot stands, to the robot's next actions.

    Made from `InterpreterSizes`, of which it uses what it needs.

    Attributes:
        proprio: The layer that reads proprioception; None if it is blind to it.
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


# FOLDED policies.uniact.interpreters.blind_interpreter: What universal actions say by themselves.


class BlindInterpreter(nn.Module):
    """A linear layer from universal actions alone to a robot's actions. It serves training, to give codes a meaning.

    An interpreter that sees everything may learn to do without codes; this one cannot.

    Args:
        width: Dimensions of a universal action, W.
        chunk: Actions at once, K.
        actions: Dimensions of an action, A.
    """

    def __init__(self, width: int, chunk: int, actions: int) -> None:
        super().__init__()
        self._shape = (chunk, actions)
        self.head = nn.Linear(width, chunk * actions)

    def forward(self, universal: Tensor) -> Tensor:
        """Normalised actions, shape (B, K, A), of universal ones (B, W)."""
        return self.head(universal).float().unflatten(-1, self._shape)  # type: ignore[no-any-return]
