"""What a task is: props, a reset distribution, stages, and the checks that make up success."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ambidex.envs.pose import Pose, quaternion_about

if TYPE_CHECKING:
    from ambidex.envs.scene import Scene


@dataclass(frozen=True, kw_only=True)
class UniformPose:
    """Where a prop may start: a box of positions and an interval of yaws.

    Attributes:
        low: Lowest xyz [m].
        high: Highest xyz [m].
        yaw: Lowest and highest rotation about the vertical [rad].
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    yaw: tuple[float, float] = (0.0, 0.0)

    def sample(self, rng: np.random.Generator) -> Pose:
        """One pose; draws three positions, then the yaw."""
        position = rng.uniform(self.low, self.high)
        return Pose.at(position, quaternion_about((0, 0, 1), rng.uniform(*self.yaw)))


@dataclass(frozen=True, kw_only=True)
class Prop:
    """A free body of the task.

    Attributes:
        body: Body name, unique in the scene.
        mjcf: File that holds it, with a free joint.
        starts: Reset distribution by spread name.
    """

    body: str
    mjcf: Path
    starts: Mapping[str, UniformPose]


class Task(ABC):
    """A manipulation task. Stateless: every judgement is a function of the scene.

    Attributes:
        name: Registered name.
        family: Family whose defaults apply.
        robot: Registered robot name.
        instruction: The task in words.
        horizon: Control steps in a full episode.
        stages: Stage names, from 1; stage 0 is "none".
        props: Free bodies, in qpos order.
        contact_groups: Group name -> geom names, for `Scene.touching`.
        hold_s: How long all checks must hold for success [s].
    """

    name: ClassVar[str]
    family: ClassVar[str]
    robot: ClassVar[str]
    instruction: ClassVar[str]
    horizon: ClassVar[int]
    stages: ClassVar[tuple[str, ...]]
    props: ClassVar[tuple[Prop, ...]]
    contact_groups: ClassVar[Mapping[str, tuple[str, ...]]]
    hold_s: ClassVar[float] = 0.2

    @abstractmethod
    def stage(self, scene: "Scene") -> int:
        """The stage that holds now, 0 for none."""

    @abstractmethod
    def checks(self, scene: "Scene") -> dict[str, bool]:
        """The conditions of strict success now, by name."""
