"""What universal actions say by themselves."""

from torch import Tensor, nn


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
