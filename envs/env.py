"""The environment: one task, one robot, one control mode, one step path."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from ambidex.envs.controller import Controller
from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.controllers.joint_position import JointPosition
from ambidex.envs.environment_choice import EnvironmentChoice
from ambidex.envs.errors import InvalidActionError, UnknownNameError, UsageError
from ambidex.envs.families import FAMILIES
from ambidex.envs.joint_space import JointSpace
from ambidex.envs.registry import ROBOTS, TASKS, resolve
from ambidex.envs.renderer import QUALITIES, Renderer
from ambidex.envs.robot import Robot
from ambidex.envs.scene import Scene
from ambidex.envs.task import Task
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray, Observation, Step

CONTROLLERS: Mapping[str, Callable[[Scene, float], Controller]] = {"joint": JointPosition, "ee": EePose}
SPREADS = ("published", "wide")
MAX_IMAGE_SIDE = 4096  # [px]


class Environment:
    """A task to be acted in.

    Attributes:
        spec: What it is, as a value.
        scene: The world. Experts and checks read it; agents act through `step` alone.
        controller: The control mode.
    """

    def __init__(self, spec: EnvSpec, scene: Scene, controller: Controller) -> None:
        self.spec = spec
        self.scene = scene
        self.controller = controller
        self._joints = JointSpace(scene)
        self._substeps = round(1.0 / spec.control_hz / scene.model.opt.timestep)
        self._hold_steps = round(scene.task.hold_s * spec.control_hz)
        self._held_steps = 0
        self._step = 0
        self._renderer: Renderer | None = None

    def reset(self, seed: int) -> Observation:
        """Begin the episode (task, seed): the same first state on every machine.

        Raises:
            UsageError: The seed is negative.
        """
        if seed < 0:
            raise UsageError(f"Episode seed {seed} is negative. Seeds count from 0.")
        rng = episode_rng(self.spec.task, seed)
        self.scene.reset({p.body: p.starts[self.spec.spread].sample(rng) for p in self.scene.task.props})
        self._step = self._held_steps = 0
        return self.observe()

    def restore(self, state: FloatArray) -> Observation:
        """Continue from a stored state (S,). The count of steps and of held checks begins anew."""
        self.scene.set_state(state)
        self._step = self._held_steps = 0
        return self.observe()

    def step(self, action: Float32Array) -> Step:
        """Act for one control step.

        Args:
            action: Shape (A,); values outside the limits are clamped by the controller.

        Raises:
            InvalidActionError: Wrong shape, or a value that is not finite.
        """
        joint_action = self.controller.joint_action(self.scene, self._checked(action))
        self._joints.act(joint_action, self._substeps)
        self._step += 1
        checks = self.scene.task.checks(self.scene)
        self._held_steps = self._held_steps + 1 if all(checks.values()) else 0
        return Step(
            observation=self.observe(),
            joint_action=joint_action,
            stage=self.stage(),
            checks=checks,
            success=self._held_steps >= self._hold_steps,
            truncated=self._step >= self.spec.horizon,
        )

    def observe(self) -> Observation:
        """The present moment; its images are rendered when asked for."""
        return Observation(
            time=self._step / self.spec.control_hz,
            state=self.scene.state(),
            qpos=self._joints.positions(),
            qvel=self._joints.velocities(),
            objects=self._object_poses(),
            instruction=self.spec.instruction,
            camera_names=self.spec.cameras,
            render=self.render,
        )

    def stage(self) -> int:
        """The stage that holds now."""
        return self.scene.task.stage(self.scene)

    def render(self, state: FloatArray, camera: str) -> ImageArray:
        """The view of any camera of the scene in any state (S,), shape (H, W, 3) uint8 RGB."""
        if self._renderer is None:
            self._renderer = Renderer(self.scene.model, self.spec.image_size, self.spec.render_quality)
        return self._renderer.render(state, camera)

    def close(self) -> None:
        """Free the OpenGL context, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

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

    def _object_poses(self) -> FloatArray:
        poses = [self.scene.body_pose(name) for name in self.spec.object_names]
        return np.concatenate([np.r_[pose.position, pose.quaternion] for pose in poses])


def make(
    task: str,
    *,
    control: str | None = None,
    cameras: Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    render_quality: str = "standard",
    spread: str = "published",
) -> Environment:
    """An environment by task name.

    Args:
        task: Registered task name.
        control: "joint" or "ee"; None for the family's default.
        cameras: Camera names; None for the family's default, empty for none.
        image_size: Height and width [px]; None for the family's default.
        render_quality: "standard" (fast) or "studio" (shadows, anti-aliasing).
        spread: "published" or "wide" reset distribution.

    Raises:
        UnknownNameError: An unknown task, control mode, camera, quality or spread.
        UsageError: An image size out of range.
    """
    task_object = cast("type[Task]", resolve("task", task, TASKS))()
    defaults = FAMILIES[task_object.family]
    control = control or defaults.control
    for kind, name, known in (
        ("control mode", control, tuple(CONTROLLERS)),
        ("render quality", render_quality, tuple(QUALITIES)),
        ("spread", spread, SPREADS),
    ):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    size = image_size or defaults.image_size
    if not all(1 <= side <= MAX_IMAGE_SIDE for side in size):
        raise UsageError(f"Image size {size[0]} x {size[1]}: each side must be 1 to {MAX_IMAGE_SIDE} pixels.")
    robot = cast("Robot", resolve("robot", task_object.robot, ROBOTS)())  # type: ignore[operator]
    scene = Scene(robot, task_object)
    controller = CONTROLLERS[control](scene, defaults.control_hz)
    chosen = tuple(defaults.cameras if cameras is None else cameras)
    for camera in chosen:
        if camera not in scene.camera_names:
            raise UnknownNameError("camera", camera, scene.camera_names)
    if len(set(chosen)) < len(chosen):
        raise UsageError(f"Cameras {', '.join(chosen)}: one is named twice. Name each once.")
    spec = EnvSpec(
        task=task,
        family=task_object.family,
        robot=robot.name,
        control=control,
        control_hz=defaults.control_hz,
        horizon=task_object.horizon,
        spread=spread,
        cameras=chosen,
        image_size=(int(size[0]), int(size[1])),
        render_quality=render_quality,
        instruction=task_object.instruction,
        stages=task_object.stages,
        action_names=controller.action_names,
        joint_names=robot.joint_names,
        object_names=tuple(p.body for p in task_object.props),
    )
    return Environment(spec, scene, controller)


def make_from_spec(spec: EnvironmentChoice) -> Environment:
    """The environment that a spec describes, or that a command's config asks for.

    Raises:
        UnknownNameError: An unknown task, control mode, camera, quality or spread.
        UsageError: An image size out of range.
    """
    return make(
        spec.task,
        control=spec.control,
        cameras=spec.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
        spread=spec.spread,
    )


def episode_rng(task: str, seed: int) -> np.random.Generator:
    """The generator of an episode's start: a pure function of (task, seed)."""
    digest = hashlib.sha256(task.encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int.from_bytes(digest[:8]), seed])))
