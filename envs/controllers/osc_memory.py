"""What operational space control remembers from one control step to the next."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ambidex.envs.types import FloatArray

JOINTS = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class OscMemory:
    """Where the arm should be by now. Kept in the simulation's user data, so that a stored state continues bit for bit.

    Attributes:
        position: Reference joint positions [rad], shape (7,).
        velocity: Reference joint velocities [rad/s], shape (7,).
        goal: Goal orientation of the tool in the base's frame, a quaternion, shape (4,).
    """

    SIZE: ClassVar[int] = 2 * JOINTS + 4

    position: FloatArray
    velocity: FloatArray
    goal: FloatArray

    @classmethod
    def read(cls, userdata: FloatArray) -> Self | None:
        """What is written there; None if nothing was written since the world began (all zeros)."""
        values = userdata[: cls.SIZE].copy()
        position, velocity, goal = np.split(values, (JOINTS, 2 * JOINTS))
        return cls(position=position, velocity=velocity, goal=goal) if goal.any() else None

    def write(self, userdata: FloatArray) -> None:
        """Keep this for the next control step."""
        userdata[: self.SIZE] = np.concatenate([self.position, self.velocity, self.goal])
