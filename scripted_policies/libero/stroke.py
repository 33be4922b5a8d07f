"""One way to move a drawer."""

from dataclasses import dataclass

from ambidex.envs.simulation.pose import Pose


@dataclass(frozen=True, eq=False)
class Stroke:
    """Two poses of the hand.

    Attributes:
        tool: Where it takes hold of the drawer, or touches it.
        end: Where it is when the drawer is where it should be.
    """

    tool: Pose
    end: Pose
