"""The environment: one task, one robot and one control mode."""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self, cast, overload

import numpy as np

from ambidex.envs.controllers.controller import Controller
from ambidex.envs.file_identity import check_files, file_sha256, text_sha256
from ambidex.envs.perturbations.episode import Perturbations
from ambidex.envs.perturbations.perturbation import Clean, Drawn
from ambidex.envs.perturbations.registry import EVENT, axes_with_levels, model_extensions
from ambidex.envs.registry import FAMILIES, MAX_IMAGE_SIDE, Family, find_task
from ambidex.envs.robot import IDENTIFIED
from ambidex.envs.seeds import index_in_split
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.renderer import QUALITIES, Renderer
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import FILENAME, LANGUAGE, STRICT, SuccessTimer, Task
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray, Observation, Step, make_options
from ambidex.envs.wrappers.notebook import ActionSpace, ShownObservation, environment_html
from ambidex.errors import InvalidActionError, PerturbationError, SimulationError, UsageError, check_name
from ambidex.lookup import resolve

ControllerFactory = Callable[[Scene, float], Controller]
SPREADS = ("published", "wide")
OPEN, HOLD = "open", "hold"


class Environment:
    """A task that an agent can act in. As a context manager it is closed at the end: `with ambidex.make(...) as env:`.

    Attributes:
        spec: Description of the environment, as stored in files.
        task: Initial states, stages and success checks.
        scene: The simulation. Experts and checks read it; agents act through `step` only.
        controller: The control mode.
        settling: Controller of the control steps before an episode: that of the family's default control mode, so that
            initial states are the same in all of them.
        action_low: Lowest useful action, shape (A,) float32; lower values are clamped.
        action_high: Highest useful action, likewise.
    """

    def __init__(
        self, spec: EnvSpec, task: Task, scene: Scene, controller: Controller, settling: Controller | None = None
    ) -> None:
        self.spec = spec
        self.task = task
        self.scene = scene
        self.controller = controller
        self.settling = settling or controller
        self.action_low, self.action_high = controller.low, controller.high
        self._joints = JointSpace(scene)
        self._substeps = round(1.0 / spec.control_hz / scene.model.opt.timestep)
        hold_s = 0.0 if task.latches else FAMILIES[task.family].hold_s
        self._success = SuccessTimer(hold_steps=round(hold_s * spec.control_hz), latches=task.latches)
        self._initial_states = task.read_initial_states(Path(spec.init_states), scene) if spec.init_states else None
        self._step = 0
        self._states: list[FloatArray] = []
        self._renderer: Renderer | None = None
        self._renders_event = False
        self._clean = Clean(scene=scene, task=task, spec=spec, idle=lambda: controller.idle(scene, hold_gripper=True))
        self._perturbations = Perturbations(spec.perturb, self._clean)

    def __repr__(self) -> str:
        spec = self.spec
        return f"<Environment {spec.task}, {spec.control} control, cameras {', '.join(spec.cameras) or 'none'}>"

    def _repr_html_(self) -> str:
        """For notebooks: what the task is, and what the cameras see now."""
        return environment_html(repr(self), self.spec, self.observe())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def reset(self, seed: int) -> Observation:
        """Start the episode (task, seed), which has the same initial state on every machine.

        Raises:
            UsageError: The seed is negative.
        """
        if seed < 0:
            raise UsageError(f"Episode seed {seed} is negative.", "Seeds count from 0.", seed=seed)
        self._reset_clean(seed)
        self._begin_perturbations(seed)
        self._perturbations.change_initial_state(self.scene)
        for _ in range(self.spec.settle_steps):
            self._act(self.settling, self.settling.idle(self.scene, hold_gripper=self.spec.settle_gripper == HOLD))
        self.scene.reset_time()
        return self._start_episode()

    def restore(self, state: FloatArray, seed: int | None = None, event_step: int | None = None) -> Observation:
        """Continue from a stored state (S,). Resets the step counter and the success timer.

        Args:
            state: The state.
            seed: Seed of the episode that has this state, on which perturbations depend; None keeps those in effect.
            event_step: 0 if the event of that episode has set in before; None if it does when its stage is reached.

        Raises:
            SimulationError: The state has another size, or is not finite.
        """
        self.scene.check_state(state)
        if seed is not None:
            self.perturb(seed)
        self.scene.set_state(state)
        return self._start_episode(event_step)

    def perturb(self, seed: int, look: int = 0, event_step: int | None = None) -> None:
        """Draw the perturbations of the episode with this seed, whose states can then be rendered by `image_at`.

        A look above 0 draws those anew that change images only, so that one episode can be rendered in many ways.
        To act in the episode, call `reset` or `restore` instead, which do this and also start the episode. States
        alone do not say when an event of the episode has set in: `event_step` does, None if it has not.
        """
        if self._perturbations.read_initial_state:
            self._reset_clean(seed)
        self._begin_perturbations(seed, look, event_step)

    def _begin_perturbations(self, seed: int, look: int = 0, event_step: int | None = None) -> None:
        self._perturbations.begin(seed, look, event_step)
        self._change_rendered_model(self._perturbations.step)

    def _change_rendered_model(self, step: int) -> None:
        """Bring the rendered model to a step of the current episode."""
        self._renders_event = self._perturbations.has_set_in(step)
        if self._renderer is not None:
            change = partial(self._perturbations.change_model, step=step)
            self._renderer.change_model(change, textures=self._perturbations.change_textures)

    @contextmanager
    def unperturbed(self) -> Iterator[None]:
        """Within this context the model of the scene is that of clean episodes, e.g. to plan with it."""
        with self._perturbations.suspended():
            yield

    def check_perturbations_are_seen(
        self, cameras: Sequence[str], *, instruction: bool, known: Sequence[str] = (), of: str = "policy"
    ) -> None:
        """Check that all perturbations change something for a policy, and that it knows what to do with it.

        Args:
            cameras: The cameras whose images it gets.
            instruction: Whether it gets the instruction.
            known: The only instructions that it can follow; empty if it takes any.
            of: What gets them, for messages: a policy or a dataset.

        Raises:
            PerturbationError: A perturbation changes nothing that the policy gets, or the instruction of a policy that
                knows only some.
        """
        _check_seen(self._perturbations, cameras, instruction=instruction, of=of)
        if known and (changed := self._perturbations.change_instruction):
            problem = f"--perturb {', '.join(changed)}: the policy knows only the instructions of its training data."
            raise PerturbationError(problem, "Leave it out.", got=list(changed), expected=known)

    def impossible_perturbations(
        self, words: Iterable[str], cameras: Sequence[str] | None, *, instruction: bool
    ) -> dict[str, str]:
        """Axes with levels, such as "camera:3", that change nothing here or nothing that a policy gets -> why.

        Args:
            words: The axes, each alone.
            cameras: As for `check_perturbations_are_seen`; None for an agent that may use everything.
            instruction: Likewise.

        Raises:
            UnknownNameError: There is no such axis.
        """
        found: dict[str, str] = {}
        for word in words:
            try:
                perturbations = Perturbations([word], self._clean)
                if cameras is not None:
                    _check_seen(perturbations, cameras, instruction=instruction)
            except PerturbationError as error:
                found[word] = error.problem
        return found

    @property
    def perturbs_actions(self) -> bool:
        """Whether perturbations of actions make a step depend on the steps before, beyond the state."""
        return self._perturbations.change_actions

    @property
    def perturbed(self) -> Mapping[str, Drawn]:
        """Axis of perturbation -> its level and what was drawn for the current episode; empty for a clean one."""
        return self._perturbations.drawn

    def step(self, action: Float32Array) -> Step:
        """Act for one control step.

        Args:
            action: Shape (A,); values outside the limits are clamped by the controller.

        Raises:
            InvalidActionError: Wrong shape, or a value that is not finite.
        """
        executed = self._perturbations.change_action(self._checked(action), self._step)
        joint_action = self._act(self.controller, executed)
        self._step += 1
        checks, stage = self.task.checks(self.scene), self.stage()
        self._perturbations.reach(stage, self._step)
        return Step(
            observation=self.observe(),
            joint_action=joint_action,
            stage=stage,
            checks=checks,
            success=self._success.update(all(checks.values())),
            truncated=self._step >= self.spec.horizon,
        )

    @property
    def instruction(self) -> str:
        """The task in words, as the agent gets it in the current episode; that of the spec unless it is perturbed."""
        return self._perturbations.instruction(self.spec.instruction)

    def observe(self) -> Observation:
        """The current observation; its images are rendered on demand."""
        state = self.scene.state()
        return ShownObservation(
            time=self._step / self.spec.control_hz,
            state=state,
            qpos=self._joints.positions(),
            qvel=self._joints.velocities(),
            objects=self.scene.body_poses(self.spec.object_names),
            instruction=self.instruction,
            camera_names=self.spec.cameras,
            render=self.render if self._perturbations.seed is None else self._perturbed_render(state),
        )

    def _perturbed_render(self, state: FloatArray) -> Callable[[FloatArray, str], ImageArray]:
        """Renders the images that an agent gets at the current step in place of those of its own state."""
        step, seed = self._step, self._perturbations.seed
        self._states[step:] = [state]
        states = self._states

        def render(of: FloatArray, camera: str) -> ImageArray:
            if self._perturbations.seed != seed:
                problem = "The image of an earlier episode is asked for, whose perturbations are no longer in effect."
                raise SimulationError(problem, "Read the images of an observation before the next reset.")
            return self.image_at([*states[:step], of], step, camera)

        return render

    def image_at(self, states: Sequence[FloatArray] | FloatArray, step: int, camera: str) -> ImageArray:
        """The image that an agent gets from a camera at a step of an episode with these states, as `render` does.

        It differs from the rendered image of that state if images are perturbed.
        """
        return self._perturbations.image(lambda shown: self._render(states[shown], camera, shown), camera, step)

    def stage(self) -> int:
        """The current stage."""
        return self.task.stage(self.scene)

    @property
    def action_space(self) -> ActionSpace:
        """All useful actions, a `gymnasium.spaces.Box` with names."""
        return ActionSpace(self.action_low, self.action_high, self.spec.action_names)

    @overload
    def render(self, state: str) -> ImageArray: ...
    @overload
    def render(self, state: FloatArray, camera: str) -> ImageArray: ...
    def render(self, state: FloatArray | str, camera: str | None = None) -> ImageArray:
        """The image of any camera of the scene in any state (S,), shape (H, W, 3) uint8 RGB, upright.

        With a camera alone, as in `env.render("top")`, the state is the current one.

        Raises:
            UnknownNameError: The scene has no such camera.
            SimulationError: The state has another size, or is not finite.
            RenderingError: There is no OpenGL.
        """
        if isinstance(state, str):
            return self.render(self.scene.state(), state)
        return self._render(state, camera or "", self._perturbations.step)

    def _render(self, state: FloatArray, camera: str, step: int) -> ImageArray:
        """The image with what is perturbed at a step of the episode."""
        self.scene.check_camera(camera)
        self.scene.check_state(state)
        if self._renderer is None:
            spec = self.spec
            self._renderer = Renderer(
                self.scene.model, spec.image_size, spec.render_quality, self.task.update_appearance
            )
            self._renders_event = self._perturbations.has_set_in(self._perturbations.step)
        if self._perturbations.has_set_in(step) != self._renders_event:
            self._change_rendered_model(step)
        return self._renderer.render(state, camera)

    def close(self) -> None:
        """Free the OpenGL context, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _reset_clean(self, seed: int) -> None:
        self._perturbations.clear()  # objects settle as in the clean episode
        task, spread = self.task, self.spec.spread
        rng = episode_rng(task.rng_key, seed)
        if self._initial_states is None:
            task.reset_scene(self.scene, rng, spread)
        else:
            row = index_in_split(seed) % len(self._initial_states)
            task.reset_scene_to(self.scene, rng, spread, self._initial_states[row])

    def _start_episode(self, event_step: int | None = None) -> Observation:
        self._step, self._states = 0, []
        self._success.reset()
        self._perturbations.restart(event_step)
        self._perturbations.reach(self.stage(), self._step)
        return self.observe()

    def _act(self, controller: Controller, action: Float32Array) -> Float32Array:
        joint_action = controller.joint_action(self.scene, action)
        self._joints.act(joint_action, self._substeps)
        return joint_action

    def _checked(self, action: Float32Array) -> Float32Array:
        values = np.asarray(action, dtype=np.float32)
        names = self.spec.action_names
        if values.shape != (len(names),):
            raise self._invalid(f"got shape {values.shape}, expected ({len(names)},): {', '.join(names)}", values)
        if not np.isfinite(values).all():
            bad = [name for name, value in zip(names, values, strict=True) if not np.isfinite(value)]
            raise self._invalid(f"not finite in {', '.join(bad)}", values)
        return values

    def _invalid(self, problem: str, action: Float32Array) -> InvalidActionError:
        where = f"{self.spec.task} under {self.spec.control} control at step {self._step}"
        return InvalidActionError(f"Invalid action for {where}: {problem}.", got=action)


def make(
    task: str,
    *,
    control: str | None = None,
    cameras: Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    render_quality: str = "standard",
    spread: str = "published",
    dynamics: str = IDENTIFIED,
    success: str = STRICT,
    horizon: int | None = None,
    settle_steps: int = 0,
    settle_gripper: str = OPEN,
    init_states: str | Path | None = None,
    instruction_source: str | None = None,
    perturb: str | Sequence[str] = (),
    definition: str | Path | None = None,
) -> Environment:
    """Make an environment by task name.

    Args:
        task: Registered task name, its alias such as "libero_goal/1", or the path of a .bddl file.
        control: "joint" or "ee"; None for the family's default.
        cameras: Camera names, or one; None for the family's default, empty for none.
        image_size: Height and width [px]; None for the family's default.
        render_quality: "standard" (fast) or "studio" (shadows, anti-aliasing).
        spread: Distribution of initial states, "published" or "wide".
        dynamics: Friction and gains of the robot: "identified" on the real one, or for the bimanual ViperX "act", those
            of the ACT simulation.
        success: Success criterion: "strict", or "libero" for tasks that have it.
        horizon: Control steps in a full episode; None for the task's.
        settle_steps: No-op control steps before the episode starts.
        settle_gripper: Gripper action in these steps: "open" as in the idle action, "hold" does not move it.
        init_states: File of LIBERO's initial states. Training seed s starts from row s modulo the number of rows,
            benchmark seed s from row s - 100000 likewise.
        instruction_source: Where the instruction of a .bddl file is from: "filename", as in LIBERO, or "language", its
            section; None for the name, with a UserWarning if a user's file names another one.
        perturb: Axes of perturbation with levels, such as "camera:3"; see docs/robustness.md.
        definition: Copy of a user's .bddl file, read instead of the path that is given as `task`.

    Raises:
        UnknownNameError: Unknown task, control mode, camera, quality, spread, dynamics, success criterion or axis of
            perturbation.
        UsageError: A number out of range, a perturbation of something that is not there, an image size that is not a
            pair, initial states for a task that has none, no such source of the instruction, or a definition of a task
            that is not a .bddl file.
        DatasetError: Initial states that cannot be read or belong to another task.
    """
    task_object = find_task(task, Path(definition) if definition else None).with_success_criterion(success)
    defaults = FAMILIES[task_object.family]
    control = control or defaults.control
    check_name("control mode", control, defaults.controllers)
    check_name("render quality", render_quality, QUALITIES)
    check_name("spread", spread, SPREADS)
    check_name("gripper while settling", settle_gripper, (OPEN, HOLD))
    size = image_size or defaults.image_size
    length = task_object.horizon if horizon is None else horizon
    _check_numbers(size, length, settle_steps)
    instruction = _instruction(task_object, instruction_source)
    robot = task_object.make_robot()
    scene = Scene(robot, task_object, dynamics, extensions=model_extensions(perturb))
    modes = dict.fromkeys((control, *([defaults.control] if settle_steps else [])))
    controller, *others = (_make_controller(mode, scene, defaults) for mode in modes)
    spec = EnvSpec(
        task=task_object.name,
        family=task_object.family,
        robot=robot.name,
        control=control,
        control_hz=defaults.control_hz,
        horizon=length,
        spread=spread,
        dynamics=dynamics,
        cameras=_known_cameras(defaults.cameras if cameras is None else cameras, scene),
        image_size=(int(size[0]), int(size[1])),
        render_quality=render_quality,
        instruction=instruction,
        instruction_source=instruction_source or FILENAME,
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
        perturb=axes_with_levels(perturb),
    )
    return Environment(spec, task_object, scene, controller, *others)


def make_from_spec(spec: EnvSpec, definition: Path | None = None) -> Environment:
    """Make the environment that a spec describes; `definition` is as in `make`.

    Raises:
        UnknownNameError: Unknown task, control mode, camera, quality, spread, dynamics or success criterion.
        UsageError: A number out of range, initial states for a task that has none, or the definition or the initial
            states have changed since the spec was made.
        DatasetError: Initial states that cannot be read or belong to another task.
    """
    options = make_options(spec)
    options["definition"] = definition
    env = make(spec.task, **options)
    check_files(spec, env.spec)
    return env


def episode_rng(task_key: str, seed: int) -> np.random.Generator:
    """The random generator of an episode's initial state, a pure function of (task, seed)."""
    digest = hashlib.sha256(task_key.encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int.from_bytes(digest[:8]), seed])))


def _make_controller(control: str, scene: Scene, family: Family) -> Controller:
    return cast("ControllerFactory", resolve("control mode", control, family.controllers))(scene, family.control_hz)


def _instruction(task: Task, source: str | None) -> str:
    """The instruction from a source; None is the default, with a warning if the definition names another one."""
    check_name("instruction source", source or FILENAME, (FILENAME, LANGUAGE))
    if source is None and task.instruction_note:
        warnings.warn(task.instruction_note, stacklevel=3)
    if source == LANGUAGE and LANGUAGE not in task.instructions:
        problem = f"{task.name} has no instruction of its own: it is of no BDDL file with a (:language ...)."
        raise UsageError(problem, "Leave --instruction-source out.", task=task.name, got=source)
    return task.instructions[source or FILENAME]


def _check_numbers(size: tuple[int, int], horizon: int, settle_steps: int) -> None:
    if np.shape(size) != (2,) or np.asarray(size).dtype.kind not in "iuf":
        raise UsageError(f"image_size is {size!r}: expected height and width [px].", field="image_size", got=size)
    if not all(1 <= side <= MAX_IMAGE_SIDE for side in size):
        raise UsageError(f"Image size {size[0]} x {size[1]}: each side must be 1 to {MAX_IMAGE_SIDE} pixels.", got=size)
    if horizon < 1 or settle_steps < 0:
        raise UsageError(
            f"Got horizon {horizon} and settle_steps {settle_steps}; expected at least 1 control step in an episode "
            "and 0 or more before it.",
            horizon=horizon,
            settle_steps=settle_steps,
        )


def _known_cameras(cameras: Sequence[str], scene: Scene) -> tuple[str, ...]:
    cameras = (cameras,) if isinstance(cameras, str) else cameras
    for camera in cameras:
        scene.check_camera(camera)
    if len(set(cameras)) < len(cameras):
        raise UsageError(f"Cameras {', '.join(cameras)}: a name is given twice.", "Name each once.", got=cameras)
    return tuple(cameras)


def _check_seen(perturbations: Perturbations, cameras: Sequence[str], *, instruction: bool, of: str = "policy") -> None:
    if unseen := perturbations.without_effect(cameras, instruction=instruction):
        images = f"images of {', '.join(cameras)}" if cameras else "no images"
        gets = images if instruction else f"{images} and no instruction"
        changes = "not every event changes anything" if unseen == [EVENT] else "this changes nothing"
        problem = f"--perturb {', '.join(unseen)}: the {of} gets {gets}, so {changes} for it."
        raise PerturbationError(problem, "Leave it out.", got=unseen, expected=cameras)
