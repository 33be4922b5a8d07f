"""Checks of what a robot measures and of what it is commanded, at every step."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from ambidex.benchmarks.robot.protocol import RobotObservation, SafetyLimits
from ambidex.envs.registry import check_spec
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray
from ambidex.errors import AmbidexError, UsageError
from ambidex.text import first_few

POSITION = ("x", "y", "z")
INCREMENT = ("dx", "dy", "dz")
NO_POSITIONS = frozenset(
    "delta d diff rel relative inc increment offset step v vel velocity speed lin linear twist acc acceleration force "
    "f torque rot rotation rotvec axis axisangle aa euler rpy quat q w omega ang angle angular orientation ori".split()
)
"""Words before x, y or z that say that it is no position: tcp_vel_x, rot_x."""


class RobotError(AmbidexError):
    """A robot raised an error, did not answer in time, or gave values of a wrong shape or that are not finite."""


class SafetyError(AmbidexError):
    """A command or a measurement is beyond a safety limit."""


class SafetyGuard:
    """Checks observations and commands of a robot, one rollout after the other.

    Args:
        spec: The robot's spec.
        limits: Its limits.

    Raises:
        UsageError: The spec or a limit is impossible.
    """

    def __init__(self, spec: EnvSpec, limits: SafetyLimits) -> None:
        self._spec = spec
        width, infinite = len(spec.action_names), np.inf
        self.low = _limit("low", limits.low, (width,), -infinite)
        self.high = _limit("high", limits.high, (width,), infinite)
        self._speed = _limit("speed", limits.speed, (width,), infinite)
        low, high = [-infinite] * 3, [infinite] * 3
        self._box = _limit("workspace", limits.workspace if len(limits.workspace) else (low, high), (2, 3), 0)
        self._increment = limits.increment
        ordered = (self.low <= self.high).all() and (self._box[0] <= self._box[1]).all()
        if not ordered or not 0 <= self._increment < infinite:
            values = {each.name: getattr(limits, each.name) for each in fields(limits)}
            problem = f"The limits of the robot are impossible: {values}."
            hint = "Give a lower and a higher value for each, and an increment that is not negative."
            raise UsageError(problem, hint, got=values)
        names = spec.action_names if spec.control != "joint" else ()
        self._absolute, self._increments = _columns(names, POSITION), _columns(names, INCREMENT)
        self._check_names(names)
        self.reset()

    @property
    def has_workspace(self) -> bool:
        return bool(np.isfinite(self._box).any())

    @property
    def _has_speed(self) -> bool:
        return bool(np.isfinite(self._speed).any())

    def _check_names(self, names: Sequence[str]) -> None:
        """Raise a UsageError for a limit that cannot be enforced for end-effector actions of these names."""
        if self._increments and self._has_speed:
            problem = "The robot has limits.speed, and actions that are increments."
            raise UsageError(problem, "Leave it out: low and high bound increments.", field="speed")
        if self.has_workspace and self._increments and not self._increment:
            problem = "The robot has a workspace, and actions that are increments, but limits.increment is 0."
            raise UsageError(problem, "Say how far an action of 1 moves an end effector [m].", field="increment")
        if names and (self.has_workspace or self._has_speed) and bool(self._absolute) == bool(self._increments):
            known = "both positions and increments" if self._absolute else "none that is known as a position"
            problem = f"The robot has a workspace or limits.speed, and of its actions {known}: {first_few(names)}."
            hint = "Name those of each arm x, y, z or dx, dy, dz, or with the name of the arm, such as left_x."
            raise UsageError(problem, hint, field="action_names", got=names)

    def reset(self) -> None:
        """Start a rollout: its first command is compared with the measured joint positions."""
        self._last: FloatArray | None = None

    def check_observation(self, observation: RobotObservation, *, homed: bool = True) -> None:
        """Raise a RobotError for a wrong shape or a value that is not finite, a SafetyError outside the workspace.

        An arm that is not `homed`, and has had no command, may be outside.
        """
        joints, objects = len(self._spec.joint_names), 7 * len(self._spec.object_names)
        _check_vector("qpos", observation.qpos, (joints,))
        _check_vector("objects", observation.objects, (objects,))
        if observation.qvel is not None:
            _check_vector("qvel", observation.qvel, (joints,))
        for name, part in observation.parts.items():
            _check_vector(f"parts[{name!r}]", part, np.shape(part))
        if observation.ee_positions is not None or (homed and self._needs_positions):
            self._check_positions(observation.ee_positions)
        if self.has_workspace and homed:
            self._check_box(np.asarray(observation.ee_positions), "The end effector is")

    def check_image(self, camera: str, image: ImageArray) -> ImageArray:
        """The image; a RobotError if it is none of the spec's size."""
        expected = (*self._spec.image_size, 3)
        got = f"{getattr(image, 'dtype', type(image).__name__)} of shape {np.shape(image)}"
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape != expected:
            raise _misfit(f"the image of {camera}", got, f"uint8 of shape {expected}")
        return image

    def check_action(self, action: object, observation: RobotObservation) -> Float32Array:
        """The action as it is to be sent, shape (A,) float32.

        Raises:
            SafetyError: It has another shape, is not finite, or is beyond a limit.
        """
        values = np.asarray(action, np.float32)
        names = self._spec.action_names
        if values.shape != (len(names),):
            raise SafetyError(f"The action has shape {values.shape}, expected ({len(names)},).", got=values.shape)
        self._refuse(~np.isfinite(values), "is not finite", values)
        self._refuse(values < self.low, "is below its limit", values, self.low)
        self._refuse(values > self.high, "is above its limit", values, self.high)
        self._check_speed(values, observation)
        self._check_target(values, observation)
        self._last = values.astype(float)
        return values

    def _check_speed(self, action: Float32Array, observation: RobotObservation) -> None:
        if self._increments:
            return
        before = self._measured(action, observation) if self._last is None else self._last
        change = np.abs(action - before) - np.spacing(np.abs(action))  # float32 may round it up
        speed = change * self._spec.control_hz
        self._refuse(speed > self._speed, "changes too fast per second", speed, self._speed)

    def _measured(self, action: Float32Array, observation: RobotObservation) -> FloatArray:
        """Where the arms are, as an action; dimensions that are not measured are those of the first action."""
        if self._spec.control == "joint":
            return np.asarray(observation.qpos, float)
        measured = action.astype(float)
        if self._absolute and observation.ee_positions is not None:
            measured[self._absolute] = observation.ee_positions
        return measured

    @property
    def _needs_positions(self) -> bool:
        return self.has_workspace or bool(np.isfinite(self._speed[self._absolute]).any())

    def _check_positions(self, positions: FloatArray | None) -> None:
        if positions is None:
            raise _misfit(
                "ee_positions", "none", "those of all arms, because the robot has a workspace or limits.speed"
            )
        arms = len(self._absolute or self._increments) or max(len(np.atleast_1d(positions)), 1)
        _check_vector("ee_positions", positions, (arms, 3))

    def _check_target(self, action: Float32Array, observation: RobotObservation) -> None:
        if not self.has_workspace:
            return
        if self._absolute:
            self._check_box(action[self._absolute], "The action moves the end effector to")
        elif self._increments:
            moved = np.asarray(observation.ee_positions, float) + self._increment * action[self._increments]
            self._check_box(moved, "The action moves the end effector to")

    def _check_box(self, positions: FloatArray | Float32Array, what: str) -> None:
        low, high = self._box
        for position in positions.astype(np.float32):
            if not ((low <= position) & (position <= high)).all():
                problem = f"{what} {_numbers(position)}, outside the workspace {_numbers(low)} to {_numbers(high)} [m]."
                raise SafetyError(problem, got=position.tolist(), expected=self._box.tolist())

    def _refuse(
        self, wrong: np.ndarray, what: str, values: FloatArray | Float32Array, limits: Float32Array | None = None
    ) -> None:
        if wrong.any():
            listed = [
                f"{name} {what}: {value:.4g}" + ("" if limits is None else f", limit {limits[i]:.4g}")
                for i, (name, value) in enumerate(zip(self._spec.action_names, values, strict=True))
                if wrong[i]
            ]
            raise SafetyError(f"The action was not sent: {first_few(listed)}.", got=values.tolist())


def check_robot_spec(spec: object) -> EnvSpec:
    """The spec of a robot.

    Raises:
        UsageError: It is none, or something that an evaluation needs is missing or out of range.
    """
    if not isinstance(spec, EnvSpec):
        hint = "Expected an EnvSpec of ambidex.envs.types; docs/robot.md has an example."
        raise UsageError(f"The spec of the robot is {spec!r:.100}.", hint, got=type(spec).__name__)
    try:
        check_spec(spec)
    except ValueError as error:
        raise UsageError(f"The spec of the robot is impossible: {error}.", field="spec") from error
    needed = {name: getattr(spec, name) for name in ("action_names", "joint_names", "stages")}
    if missing := [name for name, value in needed.items() if not value]:
        raise UsageError(f"The spec of the robot has no {', '.join(missing)}.", "Name them.", field=missing[0])
    if spec.control == "joint" and len(spec.action_names) != len(spec.joint_names):
        problem = f"The robot has {len(spec.joint_names)} joints, but {len(spec.action_names)} joint actions."
        raise UsageError(problem, "Under joint control there is one action for each joint.", field="action_names")
    return spec


def _limit(name: str, values: Sequence[object], shape: tuple[int, ...], default: float) -> Float32Array:
    """In the precision of actions, so that a command at the limit is not beyond it."""
    try:
        found = np.asarray(values, np.float32) if len(values) else np.full(shape, default, np.float32)
    except (TypeError, ValueError):
        found = np.full(1, np.nan, np.float32)
    if found.shape != shape or np.isnan(found).any():
        each = "one for each action" if len(shape) == 1 else "the lowest and the highest corner"
        problem = f"limits.{name} of the robot is {values!r:.200}: expected numbers of shape {shape}, {each}."
        raise UsageError(problem, field=name, got=values, expected=shape)
    return found


def _columns(action_names: Sequence[str], ends: Sequence[str]) -> list[list[int]]:
    """Columns of the x, y and z (or dx, dy, dz) of each arm, shape (arms, 3); names are "x" or "left_x"."""
    arms = [name.removesuffix(ends[0]) for name in action_names if name == ends[0] or name.endswith(f"_{ends[0]}")]
    arms = [arm for arm in arms if NO_POSITIONS.isdisjoint(arm.lower().split("_"))]
    names = [[arm + end for end in ends] for arm in arms]
    complete = set(action_names).issuperset(name for arm in names for name in arm)
    return [[action_names.index(name) for name in arm] for arm in names] if complete else []


def _check_vector(name: str, values: object, shape: tuple[int, ...]) -> None:
    try:
        numbers = np.asarray(values, float)
    except (TypeError, ValueError):
        raise _misfit(name, repr(values)[:60], "numbers") from None
    if numbers.shape != shape:
        raise _misfit(name, f"shape {numbers.shape}", f"shape {shape}")
    if not np.isfinite(numbers).all():
        raise _misfit(name, _numbers(numbers), "finite numbers")


def _misfit(name: str, got: str, expected: str) -> RobotError:
    return RobotError(f"The robot gave {name} with {got}, expected {expected}.", field=name, got=got, expected=expected)


def _numbers(values: FloatArray) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values.ravel()) + ")"
