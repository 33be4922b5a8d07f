"""The data types that cross the borders between packages. Needs NumPy and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypedDict, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
ImageArray = npt.NDArray[np.uint8]

FIRST_BENCHMARK_SEED = 100_000
"""Lower episode seeds are for training, this and higher ones for benchmarks."""

Drawn = Mapping[str, int | float | str]
"""Name of a value that was drawn for a perturbation, with its unit -> the value."""

NO_CODE = -1
"""Code of an action of an agent without codes."""


class Outcome(StrEnum):
    """How an episode ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """Everything a dataset, a checkpoint and an environment must agree on.

    Attributes:
        task: Registered task name, or the path of a .bddl file.
        family: Task family, which decides the defaults ("aloha" or "libero"); "" for another robot.
        robot: Registered robot name.
        control: Control mode, "joint" or "ee".
        control_hz: Control rate [Hz].
        horizon: Control steps in a full episode.
        spread: Distribution of initial states, "published" or "wide".
        cameras: Camera names, in the order images are stored. Empty: states only.
        image_size: Height and width [px].
        render_quality: "standard" or "studio".
        instruction: The task in words.
        stages: Stage names; stage i is reached when its condition holds, 0 is "none".
        action_names: One name per action dimension in this control mode.
        joint_names: One name per dimension of qpos, qvel and the joint action.
        object_names: Bodies whose poses make up the object state, 7 numbers each (xyz, wxyz).
        success: Success criterion: "strict", or "libero" for tasks that have it.
        settle_steps: No-op control steps before the episode starts.
        settle_gripper: Gripper action in these steps: "open" as in the idle action, "hold" does not move it.
        init_states: File of initial states, "" for none. Training seed s starts from row s modulo the number of rows,
            benchmark seed s from row s - 100000 likewise.
        definition_sha256: SHA-256 of the text of the task's definition; "" for a task written in Python, and in files
            written before this field existed.
        init_states_sha256: SHA-256 of the file of initial states; "" for none, and in files written before this field
            existed.
        dynamics: Friction and gains of the robot, "identified" or "act".
        instruction_source: Where the instruction of a .bddl file is from: its "filename", or its section "language".
        perturb: Perturbations of every episode, axes with levels such as "camera:3"; empty for clean episodes.
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
    dynamics: str = "identified"
    instruction_source: str = "filename"
    perturb: tuple[str, ...] = ()

    def differences(self, other: "EnvSpec") -> list[str]:
        """One readable line per field in which the two differ.

        Files are compared by content where both specs know it, so a file may lie elsewhere.
        """
        by_content = bool(self.init_states_sha256 and other.init_states_sha256)
        skipped = {"definition_sha256", "init_states" if by_content else "init_states_sha256"}
        lines = [
            f"{f.name}: {getattr(self, f.name)!r} != {getattr(other, f.name)!r}"
            for f in fields(self)
            if f.name not in skipped and getattr(self, f.name) != getattr(other, f.name)
        ]
        if self.task == other.task and self.definition_differs(other):
            lines.append(
                f"definition_sha256: the definition of {self.task} has changed, SHA-256 {self.definition_sha256} != "
                f"{other.definition_sha256}"
            )
        return lines

    def definition_differs(self, other: "EnvSpec") -> bool:
        """Whether the definitions are known to have different texts."""
        known = bool(self.definition_sha256 and other.definition_sha256)
        return known and self.definition_sha256 != other.definition_sha256


class MakeOptions(TypedDict, total=False):
    """The keyword arguments of `ambidex.make`, which describes them."""

    control: str | None
    cameras: Sequence[str] | None
    image_size: tuple[int, int] | None
    render_quality: str
    spread: str
    dynamics: str
    success: str
    horizon: int | None
    settle_steps: int
    settle_gripper: str
    init_states: str | Path | None
    instruction_source: str | None
    perturb: str | Sequence[str]
    definition: str | Path | None


def make_options(settings: object) -> MakeOptions:
    """The keyword arguments of `ambidex.make` that an object has as attributes."""
    names = [name for name in MakeOptions.__optional_keys__ if hasattr(settings, name)]
    return cast(MakeOptions, {name: getattr(settings, name) for name in names})


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """What an agent may see before it acts. Images are rendered on demand, from the state of this observation.

    Attributes:
        time: Time since the start of the episode [s].
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

    def __repr__(self) -> str:
        return f"<Observation at {self.time:.2f} s, cameras {', '.join(self.camera_names) or 'none'}>"

    def image(self, camera: str) -> ImageArray:
        """The image of one camera, shape (H, W, 3) uint8 RGB."""
        return self.render(self.state, camera)

    def images(self) -> dict[str, ImageArray]:
        """The images of all cameras of the spec, by name."""
        return {name: self.image(name) for name in self.camera_names}


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """The result of one control step.

    Attributes:
        observation: Taken after the step.
        joint_action: The joint command that was applied, shape (J,) float32, in every control mode.
        stage: Index of the current stage (ACT's reward), 0 for none.
        checks: Whether each success condition of the task holds, by name.
        success: All checks have held for the task's hold time.
        truncated: The horizon has been reached.
    """

    observation: Observation
    joint_action: Float32Array
    stage: int
    checks: Mapping[str, bool]
    success: bool
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What an agent did in an episode. docs/statistics.md has the exact definitions.

    Attributes:
        stage_steps: Stage name -> control steps that began in this stage.
        path_m: Arm -> length of the path of its tool centre point [m].
        idle: Arm -> share of the steps after which it stood still, 0..1.
        largest_force_n: Largest force between the robot or an object that it holds and another body [N].
        drops: How often an object fell from a gripper.
        arm_contact_steps: Steps in which two arms touched; None for a robot with one arm.
    """

    stage_steps: Mapping[str, int]
    path_m: Mapping[str, float]
    idle: Mapping[str, float]
    largest_force_n: float
    drops: int
    arm_contact_steps: int | None = None

    @property
    def numbers(self) -> dict[str, float]:
        """All of it by name, with units; arms are named if there are several."""
        of = {arm: f", {arm}" if len(self.path_m) > 1 else "" for arm in self.path_m}
        contacts = {} if self.arm_contact_steps is None else {"steps with arms touching": self.arm_contact_steps}
        return {
            **{f"path{of[arm]} [m]": path for arm, path in self.path_m.items()},
            **{f"share of steps idle{of[arm]}": share for arm, share in self.idle.items()},
            "largest contact force [N]": self.largest_force_n,
            "objects dropped": self.drops,
            **contacts,
            **{f"steps in stage {stage}": steps for stage, steps in self.stage_steps.items()},
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Attempt:
    """What a `RolloutResult` and an `Episode` have in common; they describe the fields."""

    spec: EnvSpec
    seed: int
    outcome: Outcome
    stage: int
    qpos: Float32Array
    qvel: Float32Array
    objects: Float32Array
    joint_actions: Float32Array
    states: FloatArray
    stages: npt.NDArray[np.int8]

    @property
    def steps(self) -> int:
        """Number of control steps, T."""
        return len(self.joint_actions)

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS

    def __repr__(self) -> str:
        kind, stage = type(self).__name__, self.spec.stages[self.stage]
        return f"<{kind} {self.spec.task}, seed {self.seed}: {self._ending}, stage {stage!r}, {self.steps} steps>"

    @property
    def _ending(self) -> str:
        return self.outcome.value


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RolloutResult(_Attempt):
    """One attempted episode, without images. T actions and T+1 states; neither if the reset failed.

    Attributes:
        spec: The environment's spec.
        seed: Episode seed.
        outcome: Success means that success held at the last step.
        stage: Highest stage reached, an index into `spec.stages`.
        reason: Empty on success; otherwise which checks failed at the end, or the error.
        checks: The task's checks at the last step, by name; empty if no step was taken.
        states: Shape (T+1, S) float64.
        actions: The agent's actions, shape (T, A) float32.
        codes: The code behind each action, shape (T,) int32; `NO_CODE` for agents without codes.
        joint_actions: The joint commands that were applied, shape (T, J) float32.
        qpos: Before each action and after the last, shape (T+1, J) float32.
        qvel: Likewise, shape (T+1, J) float32.
        objects: Object poses likewise, shape (T+1, 7 * objects) float32.
        stages: Stage at each state, shape (T+1,) int8.
        wall_s: Wall-clock time [s].
        traceback: Where the error was raised; empty if there was none.
        perturbed: Axis of perturbation -> its level and what was drawn for this episode; empty for a clean episode.
        behaviour: What the agent did; None if it was not measured, after an error, and without steps.
    """

    reason: str
    checks: Mapping[str, bool]
    actions: Float32Array
    codes: npt.NDArray[np.int32]
    wall_s: float
    traceback: str = ""
    perturbed: Mapping[str, Drawn] = field(default_factory=dict)
    behaviour: Behaviour | None = None

    @property
    def solved_at_start(self) -> bool:
        """Whether the last stage, which is the goal, was reached before the first action."""
        return self.started and 0 < int(self.stages[0]) == len(self.spec.stages) - 1

    @property
    def _ending(self) -> str:
        return f"error ({self.reason})" if self.outcome is Outcome.ERROR else self.outcome.value

    @property
    def started(self) -> bool:
        """Whether the reset succeeded, so that there is an initial state."""
        return len(self.states) > 0


@dataclass(frozen=True, kw_only=True)
class TakenOver:
    """The failed episode that another one continues; both have the same seed.

    Attributes:
        results: The results folder of the failed episode.
        policy: The policy that failed.
        policy_sha256: SHA-256 of its weights, or of what else identifies it; "" for a baseline.
        step: Control step of the failed episode whose state is the first state here.
        initial_state_sha256: SHA-256 of the initial state of the failed episode, which all that continue it share.
    """

    results: str
    policy: str
    policy_sha256: str
    step: int
    initial_state_sha256: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Episode(_Attempt):
    """One stored episode, without images. T actions and T+1 states; observation t is taken before action t.

    Attributes:
        spec: The environment's spec. Its instruction is the one that the agent got, and `perturb` is empty for a clean
            episode, also in a dataset in which others are perturbed.
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into `spec.stages`.
        qpos: Shape (T, J) float32.
        qvel: Shape (T, J) float32.
        objects: Object poses (xyz [m], wxyz), shape (T, 7 * objects) float32.
        joint_actions: The joint commands that were applied, shape (T, J) float32; under joint control the agent's
            actions, which differ from these if a perturbation changes actions.
        ee_actions: The applied commands as end-effector actions, shape (T, E) float32; under EE control the agent's
            actions. E is 0 under joint control if the family's end-effector actions are increments.
        states: Shape (T+1, S) float64.
        stages: Stage at each state, shape (T+1,) int8.
        model_sha256: SHA-256 of the compiled model it was recorded in.
        versions: Package -> version it was recorded with.
        perturbed: Axis of perturbation -> its level and what was drawn for this episode; empty for a clean episode.
        look: Which draw of the axes that change images only; 0 is that of the seed.
        source_episode: Of several looks of one episode: its number in the dataset that has its states. None for others,
            and for looks of a failure.
        taken_over: The failed episode that this one continues; None if it starts at the initial state of its seed.
    """

    ee_actions: Float32Array
    model_sha256: str
    versions: Mapping[str, str]
    perturbed: Mapping[str, Drawn] = field(default_factory=dict)
    look: int = 0
    source_episode: int | None = None
    taken_over: TakenOver | None = None

    @property
    def actions(self) -> Float32Array:
        """The agent's actions, in the spec's control mode, shape (T, A) float32."""
        return self.joint_actions if self.spec.control == "joint" else self.ee_actions


class Agent(Protocol):
    """Acts in an environment: an expert, a policy or a baseline."""

    def reset(self, observation: Observation, seed: int) -> None:
        """Start an episode."""
        ...

    def act(self, observation: Observation) -> Float32Array:
        """The action for this observation, shape (A,) float32, in the environment's control mode."""
        ...


@runtime_checkable
class CodedAgent(Agent, Protocol):
    """An agent that makes its actions from the codes of a codebook; `rollout` records them.

    Attributes:
        code: Code of the last action, or `NO_CODE`.
    """

    code: int
