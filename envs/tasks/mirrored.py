"""The mirror image of a two-armed task: left and right exchanged, everything else reflected in the plane x = 0."""

import re
from collections.abc import Mapping
from dataclasses import replace
from weakref import WeakKeyDictionary

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.objects.building.reflection import FLIP_QUATERNION, FLIP_TURN, FLIP_X, reflect
from ambidex.envs.registry import MIRRORED
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.types import FloatArray

OPPOSITE = {"left": "right", "right": "left"}
FREE, SLIDE = mujoco.mjtJoint.mjJNT_FREE.value, mujoco.mjtJoint.mjJNT_SLIDE.value


class MirroredTask(Task):
    """A task in which the left arm does what the right one does in another task, and the right arm what the left does.

    A seed gives the mirror image of the other task's initial state. Stages and checks are those of the other task, in
    the mirror image of the scene.

    Attributes:
        base: The other task.
    """

    def __init__(self, base: Task) -> None:
        self.base = base
        self.name = base.name + MIRRORED
        self.family, self.robot, self.horizon, self.latches = base.family, base.robot, base.horizon, base.latches
        self.coordination = base.coordination
        self.instruction = exchange_sides(base.instruction)
        self.stages = tuple(exchange_sides(stage) for stage in base.stages)
        self.props = tuple(_mirror_prop(prop) for prop in base.props)
        self.contact_groups = base.contact_groups
        self._images: WeakKeyDictionary[Scene, Scene] = WeakKeyDictionary()
        self._reflections: WeakKeyDictionary[Scene, Reflection] = WeakKeyDictionary()

    @property
    def rng_key(self) -> str:
        return self.base.rng_key

    def finish_model(self, spec: mujoco.MjSpec) -> None:
        """Add what the other task adds; constraints at the origins of bodies are their own mirror images."""
        self.base.finish_model(spec)

    @property
    def object_names(self) -> tuple[str, ...]:
        """As in the other task."""
        return self.base.object_names

    def initial_ranges(self, spread: str) -> Mapping[str, tuple[UniformPose, ...]]:
        """The mirror images of the other task's."""
        ranges = self.base.initial_ranges(spread).items()
        return {body: tuple(_mirror_range(given) for given in places) for body, places in ranges}

    def stage(self, scene: Scene) -> int:
        return self.base.stage(self._reflection(scene).updated())

    def checks(self, scene: Scene) -> dict[str, bool]:
        checks = self.base.checks(self._reflection(scene).updated())
        return {exchange_sides(name): holds for name, holds in checks.items()}

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Put everything into the mirror image of the other task's initial state."""
        image = self._image(scene)
        self.base.reset_scene(image, rng, spread)
        scene.reset({})
        Reflection(image, scene).updated()

    def update_constraints(self, scene: Scene) -> bool:
        """As in the other task, whose constraints depend on heights, angles and distances only."""
        return self.base.update_constraints(scene)

    def _image(self, scene: Scene) -> Scene:
        if scene not in self._images:
            self._images[scene] = Scene(scene.robot, self.base)
        return self._images[scene]

    def _reflection(self, scene: Scene) -> "Reflection":
        if scene not in self._reflections:
            self._reflections[scene] = Reflection(scene, self._image(scene))
        return self._reflections[scene]


class Reflection:
    """Keeps a scene as the mirror image of another one, which has the mirror images of its objects.

    The arms of the robot stand opposite of each other. A joint of one arm takes the position of that joint of the other
    arm; a finger, that of the other arm's finger on the same side of the scene.

    Args:
        source: The scene that is reflected.
        mirrored: The scene that becomes its mirror image.
    """

    def __init__(self, source: Scene, mirrored: Scene) -> None:
        self._source, self._mirrored = source, mirrored
        model = source.model
        self._qpos, self._qpos_signs = np.arange(model.nq), np.ones(model.nq)
        self._dofs, self._dof_signs = np.arange(model.nv), np.ones(model.nv)
        for index in range(model.njnt):
            self._map_joint(model, index)
        self._controls = [model.actuator(opposite_name(model.actuator(i).name)).id for i in range(model.nu)]
        self._control_signs = np.array([self._control_sign(model, i) for i in range(model.nu)])
        self._version = -1

    def updated(self) -> Scene:
        """The mirror image of the present state."""
        if self._version == self._source.state_version:
            return self._mirrored
        self._version = self._source.state_version
        data, mirrored = self._source.data, self._mirrored.data
        mirrored.time = data.time
        mirrored.qpos[:] = data.qpos[self._qpos] * self._qpos_signs
        mirrored.qvel[:] = data.qvel[self._dofs] * self._dof_signs
        mirrored.ctrl[:] = data.ctrl[self._controls] * self._control_signs
        mirrored.mocap_pos[:] = data.mocap_pos * FLIP_X
        mirrored.mocap_quat[:] = data.mocap_quat * FLIP_QUATERNION
        mirrored.eq_active[:] = data.eq_active
        self._mirrored.refresh()
        return self._mirrored

    def _map_joint(self, model: mujoco.MjModel, index: int) -> None:
        joint = model.joint(index)
        other = model.joint(opposite_name(joint.name))
        if joint.type[0] == FREE:
            signs, turns = np.concatenate([FLIP_X, FLIP_QUATERNION]), np.concatenate([FLIP_X, FLIP_TURN])
        else:
            signs = turns = np.array([_sign(model, index) if joint.name != other.name else 1.0])
        at, dof = int(joint.qposadr[0]), int(joint.dofadr[0])
        self._qpos[at : at + len(signs)] = np.arange(len(signs)) + other.qposadr[0]
        self._qpos_signs[at : at + len(signs)] = signs
        self._dofs[dof : dof + len(turns)] = np.arange(len(turns)) + other.dofadr[0]
        self._dof_signs[dof : dof + len(turns)] = turns

    def _control_sign(self, model: mujoco.MjModel, actuator: int) -> float:
        joint = int(model.actuator_trnid[actuator, 0])
        # A gripper's actuator moves one finger, and with it the other: the same command opens both arms' grippers.
        return 1.0 if model.jnt_type[joint] == SLIDE else _sign(model, joint)


def mirrored_action(scene: Scene, action: npt.NDArray[np.floating]) -> FloatArray:
    """The mirror image of a joint action (J,) of a robot with two arms."""
    model = scene.model
    signs = [[*(_sign(model, model.joint(name).id) for name in arm.joints), 1.0] for arm in scene.robot.arms]
    left, right = np.split(np.asarray(action, np.float64) * np.concatenate(signs), 2)
    return np.concatenate([right, left])


def exchange_sides(text: str) -> str:
    """A text in which left and right are exchanged."""
    return re.sub(r"\b(left|right)\b", lambda found: OPPOSITE[found[1]], text)


def opposite_name(name: str) -> str:
    """The name of an element of the robot on the other side; other names stay."""
    return re.sub(r"(left|right)(?=[/_]|$)", lambda found: OPPOSITE[found[1]], name) if "/" in name else name


def _sign(model: mujoco.MjModel, joint: int) -> float:
    """Of a joint of an arm in the mirror image: -1 for turns about other axes than the arm's y, and for fingers."""
    about_y = abs(float(model.jnt_axis[joint, 1])) > 0.5
    return 1.0 if about_y != (model.jnt_type[joint] == SLIDE) else -1.0


def _mirror_prop(prop: Prop) -> Prop:
    ranges = {spread: _mirror_range(given) for spread, given in prop.initial_poses.items()}
    return replace(prop, mjcf=lambda: reflect(prop.model()), initial_poses=ranges)


def _mirror_range(given: UniformPose) -> UniformPose:
    (x_low, y_low, z_low), (x_high, y_high, z_high) = given.low, given.high
    yaw = (-given.yaw[1], -given.yaw[0])
    return UniformPose(low=(-x_high, y_low, z_low), high=(-x_low, y_high, z_high), yaw=yaw)
