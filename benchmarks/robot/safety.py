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
        self.low = _limit("low", limits.low, width, -infinite)
        self.high = _limit("high", limits.high, width, infinite)
        self._speed = _limit("speed", limits.speed, width, infinite)
        self._box = np.asarray(limits.workspace or [[-infinite] * 3, [infinite] * 3], float)
        self._increment = limits.increment
        if self._box.shape != (2, 3) or not (self.low <= self.high).all() or not (self._box[0] <= self._box[1]).all():
            values = {each.name: getattr(limits, each.name) for each in fields(limits)}
            problem = f"The limits of the robot contradict each other: {values}."
            raise UsageError(problem, "Give a lower and a higher value for each.", got=values)
        names = spec.action_names if spec.control != "joint" else ()
        self._absolute, self._increments = _columns(names, POSITION), _columns(names, INCREMENT)
        if self.has_workspace and self._increments and not self._increment:
            problem = "The robot has a workspace, and actions that are increments, but limits.increment is 0."
            raise UsageError(problem, "Say how far an action of 1 moves an end effector [m].", field="increment")
        if self.has_workspace and names and not (self._absolute or self._increments):
            problem = f"The robot has a workspace, but none of its actions is known as a position: {first_few(names)}."
            hint = "Name those of each arm x, y, z or dx, dy, dz, or with a prefix, such as left_x."
            raise UsageError(problem, hint, field="action_names", got=names)
        self.reset()

    @property
    def has_workspace(self) -> bool:
        return bool(np.isfinite(self._box).any())

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
        if self.has_workspace and homed:
            self._check_positions(observation)

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
        speed = np.abs(action - before) * self._spec.control_hz
        self._refuse(speed > self._speed, "changes too fast per second", speed, self._speed)

    def _measured(self, action: Float32Array, observation: RobotObservation) -> FloatArray:
        """Where the arms are, as an action; dimensions that are not measured are those of the first action."""
        if self._spec.control == "joint":
            return np.asarray(observation.qpos, float)
        measured = action.astype(float)
        if self._absolute and observation.ee_positions is not None:
            measured[self._absolute] = observation.ee_positions
        return measured

    def _check_positions(self, observation: RobotObservation) -> None:
        positions = observation.ee_positions
        if positions is None:
            raise _misfit("ee_positions", "none", "those of all arms, because the robot has a workspace")
        arms = len(self._absolute or self._increments) or len(np.atleast_1d(positions))
        _check_vector("ee_positions", positions, (arms, 3))
        self._check_box(np.asarray(positions, float), "The end effector is")

    def _check_target(self, action: Float32Array, observation: RobotObservation) -> None:
        if not self.has_workspace:
            return
        if self._absolute:
            self._check_box(action[self._absolute].astype(float), "The action moves the end effector to")
        elif self._increments:
            moved = np.asarray(observation.ee_positions, float) + self._increment * action[self._increments]
            self._check_box(moved, "The action moves the end effector to")

    def _check_box(self, positions: FloatArray, what: str) -> None:
        low, high = self._box
        for position in positions:
            if not ((low <= position) & (position <= high)).all():
                problem = f"{what} {_numbers(position)}, outside the workspace {_numbers(low)} to {_numbers(high)} [m]."
                raise SafetyError(problem, got=position.tolist(), expected=self._box.tolist())

    def _refuse(
        self, wrong: np.ndarray, what: str, values: FloatArray | Float32Array, limits: FloatArray | None = None
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


def _limit(name: str, values: Sequence[float], width: int, default: float) -> FloatArray:
    found = np.asarray(values, float) if len(values) else np.full(width, default)
    if found.shape != (width,) or np.isnan(found).any():
        problem = f"limits.{name} of the robot has {found.tolist()}: expected {width} numbers, one for each action."
        raise UsageError(problem, field=name, got=found.tolist(), expected=width)
    return found


def _columns(action_names: Sequence[str], ends: Sequence[str]) -> list[list[int]]:
    """Columns of the x, y and z (or dx, dy, dz) of each arm, shape (arms, 3); names are "x" or "left_x"."""
    columns = [[i for i, name in enumerate(action_names) if name.rpartition("_")[2] == end] for end in ends]
    return [list(arm) for arm in zip(*columns, strict=True)] if len({len(column) for column in columns}) == 1 else []


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
