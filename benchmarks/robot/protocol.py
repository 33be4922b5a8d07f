"""What a robot must provide to be evaluated, and what it is given. Needs NumPy only: no simulator, no torch.

A driver need not import this module, except for the types of what it returns. docs/robot.md has a complete example.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray

UNSEEN = ("object", "background", "distractor", "position", "instruction")
"""What can be unlike anything in the training data in a rollout."""


@dataclass(frozen=True, kw_only=True)
class RobotRequest:
    """What the evaluation asks of a robot; its factory gets this. A robot may offer more, and need not use it.

    Attributes:
        task: What --task says: a task name, or the instruction.
        control: Control mode of the policy, "joint" or "ee"; None if any will do, as for the next two.
        cameras: The cameras that the policy uses.
        image_size: Height and width of its images [px].
        render_quality: Of its images, for a simulated robot.
        horizon: Control steps of a rollout; None if the robot's own.
    """

    task: str
    control: str | None = None
    cameras: tuple[str, ...] | None = None
    image_size: tuple[int, int] | None = None
    render_quality: str = "standard"
    horizon: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class RobotObservation:
    """What a robot measures at one moment.

    Attributes:
        qpos: Joint positions [rad] with gripper openings 0..1, in the order of `spec.joint_names`, shape (J,).
        images: Camera of `spec.cameras` -> image (H, W, 3) uint8 RGB. A mapping that makes images on demand must give
            those of this moment, however late it is asked.
        qvel: Joint velocities [rad/s] with gripper rates [1/s], shape (J,); zeros if they are not measured.
        objects: Object poses (xyz [m], wxyz), shape (7 * objects,), if the spec names objects.
        ee_positions: Position of each end effector in the frame of the workspace [m], shape (arms, 3), in the order of
            the arms in actions; needed only if there is a workspace, or a speed limit of end-effector positions.
        parts: Further parts of states for policies on servers, by the names of `ambidex.policies.remote.layouts`.
    """

    qpos: FloatArray | Float32Array
    images: Mapping[str, ImageArray] = field(default_factory=dict)
    qvel: FloatArray | Float32Array | None = None
    objects: FloatArray = field(default_factory=lambda: np.zeros(0))
    ee_positions: FloatArray | None = None
    parts: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SafetyLimits:
    """Limits that are checked before every command. A command beyond one is not sent, and the arm is stopped.

    Attributes:
        low: Lowest allowed value of each dimension of an action, A numbers; empty for no limits.
        high: Highest allowed value, likewise.
        speed: Largest allowed change per second of each dimension, from one command to the next [rad/s], [m/s] or
            [1/s], A numbers, infinite for none; empty for no limits. The first command is compared with the measured
            joint or end effector positions; what else there is in end-effector actions is compared from the second one
            on. Increments can have no such limit: `low` and `high` bound them.
        workspace: Lowest and highest corner of the box in which end effectors must stay [m], two times 3 numbers; empty
            for none. Positions that are measured and those that end-effector actions command are checked.
        increment: How far an action of 1 moves an end effector, for actions that are increments [m]; not negative.
    """

    low: Sequence[float] = ()
    high: Sequence[float] = ()
    speed: Sequence[float] = ()
    workspace: Sequence[Sequence[float]] = ()
    increment: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a rollout succeeded; with the highest stage reached, an index into `spec.stages`, and a note.

    A robot that judges its own rollouts also gives its checks, by name, and may give the reason of a failure.
    """

    success: bool
    stage: int
    note: str = ""
    checks: Mapping[str, bool] = field(default_factory=dict)
    reason: str = ""


class Robot(Protocol):
    """A robot with its cameras. One thread makes all calls, except `stop` while another call does not return.

    Each method may raise any exception: the arm is then stopped and the rollout is an error.

    Attributes:
        spec: Names of joints, actions and cameras, image size, control mode and rate, horizon, stages. `family` is ""
            for a robot that is not one of the simulated ones.
        limits: Its safety limits.
    """

    spec: EnvSpec
    limits: SafetyLimits

    def home(self, seed: int) -> None:
        """Move to the initial pose slowly, and allow commands again after `stop`. Blocks until the arm is there.

        `seed` numbers the rollouts, 100000 and up. A real robot need not use it.
        """
        ...

    def observe(self) -> RobotObservation:
        """Measure now."""
        ...

    def act(self, action: Float32Array) -> None:
        """Send one command, shape (A,), and return at once; the evaluation keeps the control rate."""
        ...

    def stop(self) -> None:
        """Stop at once and hold the position; ignore commands until `home`. Safe to call at any time, and twice."""
        ...


@runtime_checkable
class ClosableRobot(Protocol):
    """A robot whose connection is closed at the end."""

    def close(self) -> None:
        """Close the connection to the robot, which is stopped. Safe to call twice."""
        ...


@runtime_checkable
class JudgingRobot(Protocol):
    """A robot that tells whether the task is done, for --verdicts robot."""

    def verdict(self) -> Verdict | None:
        """After a command: the verdict if the rollout is decided, None if it goes on. At the horizon it must decide."""
        ...
