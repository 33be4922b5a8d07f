"""What belongs to one kind of robot alone."""

from torch import Tensor, nn

from ambidex.policies.normalization import Normalization
from ambidex.policies.statistics import Statistics
from ambidex.policies.uniact.interpreters.blind_interpreter import BlindInterpreter
from ambidex.policies.uniact.interpreters.interpreter import Interpreter


class Domain(nn.Module):
    """A robot's interpreter with the statistics of its data; both are in the checkpoint.

    Args:
        interpreter: Makes its normalised actions.
        blind: Makes them of universal actions alone, for training; None for none.
        statistics: Of its training data.
        cameras: What it looks at.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        blind: BlindInterpreter | None,
        statistics: Statistics,
        cameras: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.cameras = cameras
        self.interpreter, self.blind = interpreter, blind
        self.qpos, self.actions = Normalization(statistics.qpos), Normalization(statistics.actions)

    def forward(self, features: Tensor, universal: Tensor, qpos: Tensor) -> Tensor:
        """Normalised actions, shape (B, K, A), from features (B, V, C, h, w), (B, W) and (B, J) in its own units."""
        return self.interpreter(features, universal, self.qpos(qpos))  # type: ignore[no-any-return]
