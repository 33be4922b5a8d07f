"""What crosses the borders between packages. Needs numpy and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
ImageArray = npt.NDArray[np.uint8]

FIRST_BENCHMARK_SEED = 100_000
"""Episodes of lower seeds are for training, those from here on for benchmarks."""

NO_CODE = -1
"""In place of the code of an action that was made from none."""


class Outcome(StrEnum):
    """How an episode ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """Everything a dataset, a checkpoint and an environment must agree on.

    Attributes:
        task: Registered task name.
        family: Task family, which decides the defaults ("aloha").
        robot: Registered robot name.
        control: Control mode, "joint" or "ee".
        control_hz: Control rate [Hz].
        horizon: Control steps in a full episode.
        spread: Reset distribution, "published" or "wide".
        cameras: Camera names, in the order images are stored. Empty: states only.
        image_size: Height and width [px].
        render_quality: "standard" or "studio".
        instruction: The task in words.
        stages: Stage names; stage i is reached when its condition holds, 0 is "none".
        action_names: One name per action dimension in this control mode.
        joint_names: One name per dimension of qpos, qvel and the joint action.
        object_names: Bodies whose poses make up the object state, 7 numbers each (xyz, wxyz).
        success: Criterion of success: "strict", or "libero" where a task has it.
        settle_steps: Control steps of doing nothing before the episode begins.
        settle_gripper: What the gripper does meanwhile: "open" is what the control mode idles with, "hold" leaves it.
        init_states: File of states the episodes start from, "" for none: training seed s takes row s modulo the rows,
            a benchmark's seed likewise, counted from the first of them.
        definition_sha256: Fingerprint of the text of the task's definition; "" for a task written in Python, and in
            what older versions wrote.
        init_states_sha256: Fingerprint of the file of states; "" for none, and in what older versions wrote.
    """

    task: str
    family: str
    robot: str
    control: str
    control_hz: float
    horizon: int
    spread: str
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    render_quality: str
    instruction: str
    stages: tuple[str, ...]
    action_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    object_names: tuple[str, ...]
    success: str = "strict"
    settle_steps: int = 0
    settle_gripper: str = "open"
    init_states: str = ""
    definition_sha256: str = ""
    init_states_sha256: str = ""

    def differences(self, other: "EnvSpec") -> list[str]:
        """One readable line per field in which the two differ.

        Files are told apart by what is in them, where both specs know that: the same file elsewhere is the same.
        """
        by_content = bool(self.init_states_sha256 and other.init_states_sha256)
        apart = {"definition_sha256", "init_states" if by_content else "init_states_sha256"}
        lines = [
            f"{f.name}: {getattr(self, f.name)!r} != {getattr(other, f.name)!r}"
            for f in fields(self)
            if f.name not in apart and getattr(self, f.name) != getattr(other, f.name)
        ]
        if self.task == other.task and self.definition_differs(other):
            lines.append(
                f"definition_sha256: the definition of {self.task} has changed, SHA-256 {self.definition_sha256} != "
                f"{other.definition_sha256}"
            )
        return lines

    def definition_differs(self, other: "EnvSpec") -> bool:
        """Both come from definitions, as far as is known, and these differ."""
        known = bool(self.definition_sha256 and other.definition_sha256)
        return known and self.definition_sha256 != other.definition_sha256


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """What an agent may see before it acts. Images are rendered when asked for, always of this moment.

    Attributes:
        time: Seconds since the episode began.
        state: Full MuJoCo integration state, shape (S,).
        qpos: Joint positions [rad] with gripper openings 0..1, shape (J,).
        qvel: Joint velocities [rad/s] with gripper rates [1/s], shape (J,).
        objects: Object poses (xyz [m], wxyz), shape (7 * objects,).
        instruction: The task in words.
        camera_names: The cameras of the environment's spec.
        render: state (S,), camera name -> image (H, W, 3) uint8 RGB.
    """

    time: float
    state: FloatArray
    qpos: FloatArray
    qvel: FloatArray
    objects: FloatArray
    instruction: str
    camera_names: tuple[str, ...]
    render: Callable[[FloatArray, str], ImageArray]

    def image(self, camera: str) -> ImageArray:
        """The view of one camera at this observation's moment, shape (H, W, 3) uint8 RGB."""
        return self.render(self.state, camera)

    def images(self) -> dict[str, ImageArray]:
        """The views of all cameras of the spec, by name."""
        return {name: self.image(name) for name in self.camera_names}


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """The result of one control step.

    Attributes:
        observation: Taken after the step.
        joint_action: The joint command that acted, shape (J,) float32, whatever the control mode.
        stage: Index of the stage that holds now (ACT's reward), 0 for none.
        checks: The task's conditions now, by name.
        success: All checks have held for the task's hold time up to now.
        truncated: The horizon has been reached.
    """

    observation: Observation
    joint_action: Float32Array
    stage: int
    checks: Mapping[str, bool]
    success: bool
    truncated: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class RolloutResult:
    """One attempted episode, without pixels. T actions, T+1 states; none at all if it could not begin.

    Attributes:
        spec: The environment's spec.
        seed: Episode seed.
        outcome: Success means: success held at the last step.
        stage: Highest stage reached, an index into `spec.stages`.
        reason: Empty on success; otherwise which checks failed at the end, or the error.
        checks: The task's conditions at the last step, by name; empty if no step was taken.
        states: Shape (T+1, S) float64.
        actions: What the agent sent, shape (T, A) float32.
        codes: The code behind each action, shape (T,) int32; `NO_CODE` of agents that have none.
        joint_actions: The joint commands that acted, shape (T, J) float32.
        qpos: Before each action and after the last, shape (T+1, J) float32.
        qvel: Likewise, shape (T+1, J) float32.
        objects: Object poses likewise, shape (T+1, 7 * objects) float32.
        stages: Stage at each state, shape (T+1,) int8.
        wall_s: Wall-clock seconds.
    """

    spec: EnvSpec
    seed: int
    outcome: Outcome
    stage: int
    reason: str
    checks: Mapping[str, bool]
    states: FloatArray
    actions: Float32Array
    codes: npt.NDArray[np.int32]
    joint_actions: Float32Array
    qpos: Float32Array
    qvel: Float32Array
    objects: Float32Array
    stages: npt.NDArray[np.int8]
    wall_s: float

    @property
    def steps(self) -> int:
        """Number of control steps taken, T."""
        return len(self.actions)

    @property
    def started(self) -> bool:
        """There was a first state."""
        return len(self.states) > 0

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """One stored episode, without pixels. T actions, T+1 states; observation t is taken before action t.

    Attributes:
        spec: The environment's spec.
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into `spec.stages`.
        qpos: Shape (T, J) float32.
        qvel: Shape (T, J) float32.
        objects: Object poses (xyz [m], wxyz), shape (T, 7 * objects) float32.
        joint_actions: The joint commands that acted, shape (T, J) float32.
        ee_actions: The same commands as end-effector actions, shape (T, E) float32; under EE control what the
            agent sent.
        states: Shape (T+1, S) float64.
        stages: Stage at each state, shape (T+1,) int8.
        model_sha256: Fingerprint of the compiled model it was recorded in.
        versions: Package -> version it was recorded with.
    """

    spec: EnvSpec
    seed: int
    outcome: Outcome
    stage: int
    qpos: Float32Array
    qvel: Float32Array
    objects: Float32Array
    joint_actions: Float32Array
    ee_actions: Float32Array
    states: FloatArray
    stages: npt.NDArray[np.int8]
    model_sha256: str
    versions: Mapping[str, str]

    @property
    def steps(self) -> int:
        """Number of control steps, T."""
        return len(self.joint_actions)

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS


class Agent(Protocol):
    """Whatever acts: an expert, a policy, a baseline.

    It may have a `code`, a whole number: what the action it gave last was made from, or `NO_CODE`.
    """

    def reset(self, observation: Observation, seed: int) -> None:
        """Begin an episode."""
        ...

    def act(self, observation: Observation) -> Float32Array:
        """The action for this observation, shape (A,) float32, in the environment's control mode."""
        ...
