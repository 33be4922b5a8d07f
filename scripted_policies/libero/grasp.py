"""One way to hold a thing."""

from dataclasses import dataclass

from ambidex.envs.simulation.pose import Pose


@dataclass(frozen=True, eq=False)
class Grasp:
    """A grasp.

    Attributes:
        name: What is held, for people.
        tool: Pose of the grip site in the thing's body frame.
        opening: Distance between the pads before closing [m].
        rank: Better grasps have lower ranks; a rank counts as much as a radian of turning the hand.
    """

    name: str
    tool: Pose
    opening: float
    rank: float = 0.0
