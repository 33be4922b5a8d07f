"""What a task is: props, a reset distribution, stages, and the checks that make up success."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

import mujoco
import numpy as np

from ambidex.envs.robot import Robot
from ambidex.envs.robots import ROBOTS
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray
from ambidex.errors import UnknownNameError, UsageError
from ambidex.lookup import resolve

STRICT = "strict"


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
        props: Free bodies, in qpos order, of a task that is made of them.
        contact_groups: Group name -> geom names, for `Scene.touching`.
        hold_s: How long all checks must hold for success [s].
        latches: Success, once reached, stays for the rest of the episode.
    """

    name: str
    family: str
    robot: str
    instruction: str
    horizon: int
    stages: tuple[str, ...]
    props: tuple[Prop, ...] = ()
    contact_groups: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    hold_s: float = 0.2
    latches: bool = False

    @abstractmethod
    def stage(self, scene: Scene) -> int:
        """The stage that holds now, 0 for none."""

    @abstractmethod
    def checks(self, scene: Scene) -> dict[str, bool]:
        """The conditions of success now, by name."""

    @property
    def object_names(self) -> tuple[str, ...]:
        """Bodies whose poses make up the object state, in qpos order."""
        return tuple(prop.body for prop in self.props)

    @property
    def address(self) -> str:
        """What, with a seed, fixes an episode's start: the name, unless that is not the same everywhere."""
        return self.name

    @property
    def definition_text(self) -> str:
        """Text of the definition file behind the task; empty for a task written in Python."""
        return ""

    def make_robot(self) -> Robot:
        """The robot, where this task has it stand."""
        return cast(Robot, resolve("robot", self.robot, ROBOTS)())  # type: ignore[operator]

    def compose(self, robot: Robot) -> mujoco.MjSpec:
        """The world: arena, robot, things, in the order of qpos."""
        return compose(robot, self.name, self.props)

    def start(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Begin an episode: everything where it starts, at rest, at time 0.

        Args:
            scene: World to begin in.
            rng: The episode's generator; nothing else may decide anything.
            spread: "published" or "wide" reset distribution.
        """
        scene.reset({prop.body: prop.starts[spread].sample(rng) for prop in self.props})

    def read_starts(self, path: Path, scene: Scene) -> FloatArray:
        """The states [time, qpos, qvel] of a file that episodes may start from, shape (N, 1 + nq + nv).

        Raises:
            UsageError: This task has no such files.
            DatasetError: The file cannot be read, or is of another task.
        """
        raise self._no_starts(str(path))

    def start_from(self, scene: Scene, rng: np.random.Generator, spread: str, start: FloatArray) -> None:
        """Begin an episode from a row of `read_starts`; what is not in it is drawn as in `start`.

        Raises:
            UsageError: This task has no such files.
        """
        raise self._no_starts("A stored state")

    def judged_by(self, success: str) -> "Task":
        """This task with another criterion of success.

        Raises:
            UnknownNameError: It has no such criterion.
        """
        if success != STRICT:
            raise UnknownNameError(f"success criterion of {self.name}", success, (STRICT,))
        return self

    def dress(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:  # noqa: B027
        """Give things the colours that follow from the state, in a model made for drawing alone. Most have none."""

    def _no_starts(self, given: str) -> UsageError:
        return UsageError(
            f"{given}: {self.name} has no files of initial states; tasks of BDDL files have. Leave it out."
        )


# FOLDED envs.verdict: When checks that hold amount to success.


class Verdict:
    """Counts for how long all checks have held.

    Args:
        hold_steps: Control steps on end for which they must hold; at least one counts.
        latches: Success, once reached, stays.
    """

    def __init__(self, *, hold_steps: int, latches: bool) -> None:
        self._hold_steps, self._latches = max(1, hold_steps), latches
        self.begin()

    def begin(self) -> None:
        """Forget everything: an episode begins."""
        self._held, self._reached = 0, False

    def after(self, holds: bool) -> bool:
        """Whether success holds after one more control step, at whose end all checks hold or do not."""
        self._held = self._held + 1 if holds else 0
        now = self._held >= self._hold_steps
        self._reached = self._reached or now
        return self._reached if self._latches else now


# FOLDED envs.prop_composition: Composes the world of a task whose things are props: arena, arms, then the props.

PROP_PREFIX = "prop/"


def compose(robot: Robot, name: str, props: Sequence[Prop]) -> mujoco.MjSpec:
    """Arena, then one arm after the other, then the props: this is also the order of qpos."""
    spec = mujoco.MjSpec.from_file(str(robot.arena))
    spec.modelname = name
    for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
        frame = spec.worldbody.add_frame(pos=arm.base.position, quat=arm.base.quaternion)
        spec.attach(mujoco.MjSpec.from_file(str(robot.mjcf)), frame=frame, prefix=prefix)
    for prop in props:
        spec.attach(mujoco.MjSpec.from_file(str(prop.mjcf)), frame=spec.worldbody.add_frame(), prefix=PROP_PREFIX)
    for camera, body in robot.camera_targets:
        spec.camera(camera).mode = mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY
        spec.camera(camera).targetbody = body
    for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
        spec.camera(f"{prefix}wrist").name = f"{arm.name}_wrist"
    for element in (*spec.bodies, *spec.joints, *spec.geoms):
        element.name = element.name.removeprefix(PROP_PREFIX)
    return spec
