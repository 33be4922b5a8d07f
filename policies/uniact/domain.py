"""What belongs to one kind of robot alone."""

from torch import Tensor, nn

from ambidex.policies.normalization import Normalization
from ambidex.policies.statistics import Statistics
from ambidex.policies.uniact.interpreters.blind_interpreter import BlindInterpreter
from ambidex.policies.uniact.interpreters.interpreter import Interpreter
from ambidex.policies.uniact.units import reread, rewrite


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

    def take_over(self, other: "Domain") -> None:
        """Copy what another domain of the same robot has learnt, rewritten for the statistics of the data here.

        Actions are the same in their own units, however its data are distributed.

        Raises:
            RuntimeError: The sizes differ.
        """
        self.interpreter.load_state_dict(other.interpreter.state_dict())
        if self.interpreter.proprio is not None:
            reread(self.interpreter.proprio, other.qpos, self.qpos)
        rewrite(self.interpreter.head, other.actions, self.actions)
        if self.blind is not None and other.blind is not None:
            self.blind.load_state_dict(other.blind.state_dict())
            rewrite(self.blind.head, other.actions, self.actions)

    def forward(self, features: Tensor, universal: Tensor, qpos: Tensor) -> Tensor:
        """Normalised actions, shape (B, K, A), from features (B, V, C, h, w), (B, W) and (B, J) in its own units."""
        return self.interpreter(features, universal, self.qpos(qpos))  # type: ignore[no-any-return]
