"""The base class of tasks: objects, initial states, stages and the checks that make up success."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
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
from ambidex.errors import UsageError, check_name
from ambidex.lookup import resolve

STRICT = "strict"
FILENAME, LANGUAGE = "filename", "language"
"""Sources of the instruction of a task of a BDDL file."""
ModelSource = Path | Callable[[], mujoco.MjSpec]
"""An MJCF file, or a function that makes the model."""
COORDINATION = ("parallel", "sequential", "rigid pair", "hold and act")
"""How two arms work together: each on its own at the same time, one after the other, moving one object as a rigid body,
or one holding what the other works on."""
Rectangle = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax [m]."""


@dataclass(frozen=True, kw_only=True)
class UniformPose:
    """Distribution of poses: uniform in a box of positions and an interval of yaws.

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
    """An object of a task, with a model of its own.

    Attributes:
        body: Body name, unique in the scene.
        mjcf: Its model: one body, with a free joint, or without one for an object that is fixed to the table.
        initial_poses: Distribution of initial poses by spread name; empty if `Task.reset_scene` places it relative to
            others, such as what lies in a cup.
        parts: Bodies joined to it that move, such as a drawer; their poses are part of the object state.
        fixed: It is fixed to the table at its initial pose.
    """

    body: str
    mjcf: ModelSource
    initial_poses: Mapping[str, UniformPose]
    parts: tuple[str, ...] = ()
    fixed: bool = False

    @property
    def prefix(self) -> str:
        """Of the names of its model while the scene is composed; names that scenes are read by lose it."""
        return f"prop/{self.body}/"

    def model(self) -> mujoco.MjSpec:
        """A new copy of its model."""
        spec = mujoco.MjSpec.from_file(str(self.mjcf)) if isinstance(self.mjcf, Path) else self.mjcf()
        spec.body(self.body).mocap = self.fixed
        return spec


class Task(ABC):
    """A manipulation task. Stateless: stages and checks are functions of the scene.

    Attributes:
        name: Registered name.
        family: Family whose defaults apply.
        robot: Registered robot name.
        instruction: The task in words.
        horizon: Control steps in a full episode.
        stages: Stage names; the first is "none".
        props: Objects, in qpos order, of a task that is composed of MJCF files.
        contact_groups: Group name -> geom names, for `Scene.groups_touch`.
        latches: Success, once reached, stays for the rest of the episode.
        coordination: How two arms work together, one of `COORDINATION`; empty for one arm.
    """

    name: str
    family: str
    robot: str
    instruction: str
    horizon: int
    stages: tuple[str, ...]
    props: tuple[Prop, ...] = ()
    contact_groups: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    latches: bool = False
    coordination: str = ""

    @abstractmethod
    def stage(self, scene: Scene) -> int:
        """The current stage, 0 for none."""

    @abstractmethod
    def checks(self, scene: Scene) -> dict[str, bool]:
        """Whether each success condition holds now, by name."""

    @property
    def object_names(self) -> tuple[str, ...]:
        """Bodies whose poses make up the object state, in qpos order."""
        return tuple(body for prop in self.props for body in (prop.body, *prop.parts))

    @property
    def rng_key(self) -> str:
        """Text that, with a seed, determines the initial state: the name, unless it differs between machines."""
        return self.name

    @property
    def definition_text(self) -> str:
        """Text of the task's definition file; empty for a task written in Python."""
        return ""

    @property
    def instructions(self) -> Mapping[str, str]:
        """Source of the instruction -> the instruction; every task has `FILENAME`, the default."""
        return {FILENAME: self.instruction}

    @property
    def instruction_note(self) -> str:
        """Says that a user's definition names another instruction than the default; empty if it does not."""
        return ""

    @property
    def goal_areas(self) -> tuple[Rectangle, ...]:
        """Areas of the table that the goal names, in the world."""
        return ()

    def initial_ranges(self, spread: str) -> Mapping[str, tuple[UniformPose, ...]]:
        """Body of each object that stands on the table by itself, with nothing on it -> where it is placed.

        These are the objects that the perturbation `layout` may move.
        """
        return {prop.body: (prop.initial_poses[spread],) for prop in self.props if not prop.fixed}

    def make_robot(self) -> Robot:
        """The robot, at its place in this task."""
        return cast(Robot, resolve("robot", self.robot, ROBOTS)())  # type: ignore[operator]

    def compose(self, robot: Robot) -> mujoco.MjSpec:
        """The model: arena, robot, objects, in the order of qpos."""
        spec = mujoco.MjSpec.from_file(str(robot.arena))
        spec.modelname = self.name
        for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
            frame = spec.worldbody.add_frame(pos=arm.base.position, quat=arm.base.quaternion)
            spec.attach(mujoco.MjSpec.from_file(str(robot.mjcf)), frame=frame, prefix=prefix)
        for prop in self.props:
            spec.attach(prop.model(), frame=spec.worldbody.add_frame(), prefix=prop.prefix)
        for camera, body in robot.camera_targets:
            spec.camera(camera).mode = mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY
            spec.camera(camera).targetbody = body
        for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
            spec.camera(f"{prefix}wrist").name = f"{arm.name}_wrist"
        named = (*spec.bodies, *spec.joints, *spec.geoms, *spec.sites, *spec.equalities)
        for element, prop in product(named, self.props):
            element.name = element.name.removeprefix(prop.prefix)
        for pair, prop in product(spec.excludes, self.props):
            pair.bodyname1 = pair.bodyname1.removeprefix(prop.prefix)
            pair.bodyname2 = pair.bodyname2.removeprefix(prop.prefix)
        for equality, prop in product(spec.equalities, self.props):
            equality.name1 = equality.name1.removeprefix(prop.prefix)
            equality.name2 = equality.name2.removeprefix(prop.prefix)
        self.finish_model(spec)
        return spec

    def finish_model(self, spec: mujoco.MjSpec) -> None:  # noqa: B027
        """Add to the model what belongs to no single prop, e.g. constraints between them. Nothing by default."""

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Put everything into its initial state, at rest, at time 0.

        The episode's generator is the only source of randomness; the spread is "published" or "wide".
        """
        scene.reset({prop.body: prop.initial_poses[spread].sample(rng) for prop in self.props})

    def read_initial_states(self, path: Path, scene: Scene) -> FloatArray:
        """Read a file of initial states [time, qpos, qvel], shape (N, 1 + nq + nv).

        Raises:
            UsageError: This task has no such files.
            DatasetError: The file cannot be read, or belongs to another task.
        """
        raise self._no_initial_states()

    def reset_scene_to(self, scene: Scene, rng: np.random.Generator, spread: str, state: FloatArray) -> None:
        """Reset to a row of `read_initial_states`; what the row does not hold is drawn as in `reset_scene`.

        Raises:
            UsageError: This task has no files of initial states.
        """
        raise self._no_initial_states()

    def with_success_criterion(self, success: str) -> "Task":
        """This task with another success criterion.

        Raises:
            UnknownNameError: The task does not have it.
        """
        check_name(f"success criterion of {self.name}", success, (STRICT,))
        return self

    def update_constraints(self, scene: Scene) -> bool:
        """Set `scene.data.eq_active` of equality constraints that come to hold or cease to, after each control step.

        It depends on the state alone, of which `eq_active` is part, so that a stored state continues bit for bit.

        Returns:
            Whether it has set anything. Never for most tasks.
        """
        return False

    def update_appearance(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:  # noqa: B027
        """Set the colours that depend on the state, in a model used for rendering only. Does nothing for most tasks."""

    def _no_initial_states(self) -> UsageError:
        problem = f"{self.name} has no files of initial states; only tasks of BDDL files have."
        return UsageError(problem, "Leave it out.", got=self.name)


class SuccessTimer:
    """Counts for how many control steps in a row all checks have held; success needs `hold_steps`, at least one.

    With `latches` success, once reached, stays.
    """

    def __init__(self, *, hold_steps: int, latches: bool) -> None:
        self._hold_steps, self._latches = max(1, hold_steps), latches
        self.reset()

    def reset(self) -> None:
        """Start a new episode."""
        self._held, self._reached = 0, False

    def update(self, holds: bool) -> bool:
        """Count one more control step, after which all checks hold or not; returns whether that is success."""
        self._held = self._held + 1 if holds else 0
        now = self._held >= self._hold_steps
        self._reached = self._reached or now
        return self._reached if self._latches else now
