"""What every interpreter is."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ambidex.policies.uniact.interpreters.interpreter_sizes import InterpreterSizes


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
