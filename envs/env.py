"""The environment: one task, one robot, one control mode, one step path."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from ambidex.envs.controllers.controller import Controller
from ambidex.envs.file_identity import check_files, file_sha256, text_sha256
from ambidex.envs.registry import FAMILIES, find_task
from ambidex.envs.seeds import number_among_its_kind
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.renderer import QUALITIES, Renderer
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import STRICT, Task, Verdict
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray, Observation, Step
from ambidex.errors import InvalidActionError, UnknownNameError, UsageError
from ambidex.lookup import resolve


class EnvironmentChoice(Protocol):
    """The arguments of `make` as fields of a value; specs have them, and so have the configs of commands.

    Attributes:
        task: Registered task name.
        control: Control mode; None for the family's default.
        cameras: Camera names; None for the family's default.
        image_size: Height and width [px]; None for the family's default.
        render_quality: "standard" or "studio".
        spread: "published" or "wide" reset distribution.
        success: Criterion of success, "strict" or "libero".
        init_states: File of initial states; None or "" for none.
    """

    @property
    def task(self) -> str: ...
    @property
    def control(self) -> str | None: ...
    @property
    def cameras(self) -> tuple[str, ...] | None: ...
    @property
    def image_size(self) -> tuple[int, int] | None: ...
    @property
    def render_quality(self) -> str: ...
    @property
    def spread(self) -> str: ...
    @property
    def success(self) -> str: ...
    @property
    def init_states(self) -> str | Path | None: ...


ControllerMaker = Callable[[Scene, float], Controller]
SPREADS = ("published", "wide")
OPEN, HOLD = "open", "hold"
MAX_IMAGE_SIDE = 4096  # [px]


class Environment:
    """A task to be acted in.

    Attributes:
        spec: What it is, as a value.
        task: Where episodes start, their stages and the checks of success.
        scene: The world. Experts and checks read it; agents act through `step` alone.
        controller: The control mode.
    """

    def __init__(self, spec: EnvSpec, task: Task, scene: Scene, controller: Controller) -> None:
        self.spec = spec
        self.task = task
        self.scene = scene
        self.controller = controller
        self._joints = JointSpace(scene)
        self._substeps = round(1.0 / spec.control_hz / scene.model.opt.timestep)
        self._verdict = Verdict(hold_steps=round(task.hold_s * spec.control_hz), latches=task.latches)
        self._starts = task.read_starts(Path(spec.init_states), scene) if spec.init_states else None
        self._step = 0
        self._renderer: Renderer | None = None

    def reset(self, seed: int) -> Observation:
        """Begin the episode (task, seed): the same first state on every machine.

        Raises:
            UsageError: The seed is negative.
        """
        if seed < 0:
            raise UsageError(f"Episode seed {seed} is negative. Seeds count from 0.")
        self._start(seed)
        for _ in range(self.spec.settle_steps):
            self._act(self.controller.idle(self.scene, hold_gripper=self.spec.settle_gripper == HOLD))
        self.scene.restart_clock()
        return self._begin()

    def restore(self, state: FloatArray) -> Observation:
        """Continue from a stored state (S,). The count of steps and of held checks begins anew."""
        self.scene.set_state(state)
        return self._begin()

    def step(self, action: Float32Array) -> Step:
        """Act for one control step.

        Args:
            action: Shape (A,); values outside the limits are clamped by the controller.

        Raises:
            InvalidActionError: Wrong shape, or a value that is not finite.
        """
        joint_action = self._act(self._checked(action))
        self._step += 1
        checks = self.task.checks(self.scene)
        return Step(
            observation=self.observe(),
            joint_action=joint_action,
            stage=self.stage(),
            checks=checks,
            success=self._verdict.after(all(checks.values())),
            truncated=self._step >= self.spec.horizon,
        )

    def observe(self) -> Observation:
        """The present moment; its images are rendered when asked for."""
        return Observation(
            time=self._step / self.spec.control_hz,
            state=self.scene.state(),
            qpos=self._joints.positions(),
            qvel=self._joints.velocities(),
            objects=self.scene.body_poses(self.spec.object_names),
            instruction=self.spec.instruction,
            camera_names=self.spec.cameras,
            render=self.render,
        )

    def stage(self) -> int:
        """The stage that holds now."""
        return self.task.stage(self.scene)

    def render(self, state: FloatArray, camera: str) -> ImageArray:
        """The view of any camera of the scene in any state (S,), shape (H, W, 3) uint8 RGB."""
        if self._renderer is None:
            self._renderer = Renderer(self.scene.model, self.spec.image_size, self.spec.render_quality, self.task.dress)
        return self._renderer.render(state, camera)

    def close(self) -> None:
        """Free the OpenGL context, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _start(self, seed: int) -> None:
        task, spread = self.task, self.spec.spread
        rng = episode_rng(task.address, seed)
        if self._starts is None:
            task.start(self.scene, rng, spread)
        else:
            row = number_among_its_kind(seed) % len(self._starts)
            task.start_from(self.scene, rng, spread, self._starts[row])

    def _begin(self) -> Observation:
        self._step = 0
        self._verdict.begin()
        return self.observe()

    def _act(self, action: Float32Array) -> Float32Array:
        joint_action = self.controller.joint_action(self.scene, action)
        self._joints.act(joint_action, self._substeps)
        return joint_action

    def _checked(self, action: Float32Array) -> Float32Array:
        values = np.asarray(action, dtype=np.float32)
        expected = (len(self.spec.action_names),)
        if values.shape != expected:
            raise InvalidActionError(
                f"Action of shape {values.shape} for {self.spec.task} under {self.spec.control} control at step "
                f"{self._step}; expected {expected}: {', '.join(self.spec.action_names)}."
            )
        if not np.isfinite(values).all():
            names = [n for n, v in zip(self.spec.action_names, values, strict=True) if not np.isfinite(v)]
            raise InvalidActionError(f"Action at step {self._step} is not finite in: {', '.join(names)}.")
        return values


def make(
    task: str,
    *,
    control: str | None = None,
    cameras: Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    render_quality: str = "standard",
    spread: str = "published",
    success: str = STRICT,
    horizon: int | None = None,
    settle_steps: int = 0,
    settle_gripper: str = OPEN,
    init_states: str | Path | None = None,
    definition: Path | None = None,
) -> Environment:
    """An environment by task name.

    Args:
        task: Registered task name, its alias such as "libero_goal/1", or the path of a .bddl file.
        control: "joint" or "ee"; None for the family's default.
        cameras: Camera names; None for the family's default, empty for none.
        image_size: Height and width [px]; None for the family's default.
        render_quality: "standard" (fast) or "studio" (shadows, anti-aliasing).
        spread: "published" or "wide" reset distribution.
        success: Criterion of success: "strict", or "libero" where a task has it.
        horizon: Control steps in a full episode; None for the task's.
        settle_steps: Control steps of doing nothing before the episode begins.
        settle_gripper: What the gripper does in them: "open" is what the control mode idles with, "hold" leaves it.
        init_states: File of LIBERO's own initial states; training seed s starts from row s modulo the rows, a
            benchmark's seed likewise, counted from the first of them.
        definition: A copy of a user's .bddl file, to be read in place of the one that `task` is the path of.

    Raises:
        UnknownNameError: An unknown task, control mode, camera, quality, spread or criterion.
        UsageError: A number out of range, or initial states for a task that has none.
        DatasetError: Initial states that cannot be read, or are of another task.
    """
    task_object = find_task(task, definition).judged_by(success)
    defaults = FAMILIES[task_object.family]
    control = control or defaults.control
    for kind, name, known in (
        ("control mode", control, tuple(defaults.controllers)),
        ("render quality", render_quality, tuple(QUALITIES)),
        ("spread", spread, SPREADS),
        ("gripper while settling", settle_gripper, (OPEN, HOLD)),
    ):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    size = image_size or defaults.image_size
    length = task_object.horizon if horizon is None else horizon
    _check_numbers(size, length, settle_steps)
    robot = task_object.make_robot()
    scene = Scene(robot, task_object)
    make_controller = cast("ControllerMaker", resolve("control mode", control, defaults.controllers))
    controller = make_controller(scene, defaults.control_hz)
    spec = EnvSpec(
        task=task_object.name,
        family=task_object.family,
        robot=robot.name,
        control=control,
        control_hz=defaults.control_hz,
        horizon=length,
        spread=spread,
        cameras=_chosen(defaults.cameras if cameras is None else cameras, scene),
        image_size=(int(size[0]), int(size[1])),
        render_quality=render_quality,
        instruction=task_object.instruction,
        stages=task_object.stages,
        action_names=controller.action_names,
        joint_names=robot.joint_names,
        object_names=task_object.object_names,
        success=success,
        settle_steps=settle_steps,
        settle_gripper=settle_gripper,
        init_states=str(Path(init_states).resolve()) if init_states else "",
        definition_sha256=text_sha256(task_object.definition_text),
        init_states_sha256=file_sha256(Path(init_states)) if init_states else "",
    )
    return Environment(spec, task_object, scene, controller)


def make_from_spec(spec: EnvironmentChoice, definition: Path | None = None) -> Environment:
    """The environment that a spec describes, or that a command's config asks for.

    Args:
        spec: What to make.
        definition: A copy of a user's .bddl file, to be read in place of the one that the task is the path of.

    Raises:
        UnknownNameError: An unknown task, control mode, camera, quality, spread or criterion.
        UsageError: A number out of range, initial states for a task that has none, or the definition or the initial
            states are not those of the spec any more.
        DatasetError: Initial states that cannot be read, or are of another task.
    """
    env = make(
        spec.task,
        control=spec.control,
        cameras=spec.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
        spread=spec.spread,
        success=spec.success,
        # A config leaves the length to the task.
        horizon=spec.horizon if isinstance(spec, EnvSpec) else None,
        settle_steps=spec.settle_steps if isinstance(spec, EnvSpec) else 0,
        settle_gripper=spec.settle_gripper if isinstance(spec, EnvSpec) else OPEN,
        init_states=spec.init_states,
        definition=definition,
    )
    if isinstance(spec, EnvSpec):
        check_files(spec, env.spec)
    return env


def episode_rng(task: str, seed: int) -> np.random.Generator:
    """The generator of an episode's start: a pure function of (task, seed)."""
    digest = hashlib.sha256(task.encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int.from_bytes(digest[:8]), seed])))


def _check_numbers(size: tuple[int, int], horizon: int, settle_steps: int) -> None:
    if not all(1 <= side <= MAX_IMAGE_SIDE for side in size):
        raise UsageError(f"Image size {size[0]} x {size[1]}: each side must be 1 to {MAX_IMAGE_SIDE} pixels.")
    if horizon < 1 or settle_steps < 0:
        raise UsageError(
            f"Horizon {horizon} and settle steps {settle_steps}: expected at least 1 control step in an episode, and 0 "
            "or more before it."
        )


def _chosen(cameras: Sequence[str], scene: Scene) -> tuple[str, ...]:
    for camera in cameras:
        if camera not in scene.camera_names:
            raise UnknownNameError("camera", camera, scene.camera_names)
    if len(set(cameras)) < len(cameras):
        raise UsageError(f"Cameras {', '.join(cameras)}: one is named twice. Name each once.")
    return tuple(cameras)
