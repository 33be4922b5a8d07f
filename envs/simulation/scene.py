"""The MuJoCo simulation of a task and a robot, read and written by name."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Protocol

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import IDENTIFIED, Robot
from ambidex.envs.simulation.contacts import Contacts
from ambidex.envs.simulation.pose import Pose, quaternion_of
from ambidex.envs.simulation.stepper import Stepper
from ambidex.envs.types import FloatArray
from ambidex.errors import SimulationError, check_name

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
MAX_SPEED = 1e4  # of any joint; far more than any robot or object can reach [m/s, rad/s]


Extend = Callable[[mujoco.MjSpec], None]


class SceneSource(Protocol):
    """The part of a `Task` that a scene is made from."""

    @property
    def name(self) -> str: ...
    @property
    def contact_groups(self) -> Mapping[str, tuple[str, ...]]: ...
    def compose(self, robot: Robot) -> mujoco.MjSpec: ...
    def update_constraints(self, scene: "Scene") -> bool: ...


class Scene:
    """One MuJoCo model and its state.

    Args:
        robot: The robot in it.
        task: What the model is made from.
        dynamics: Friction and gains of the robot, see `envs.env.make`.
        extensions: What perturbations add to the model.

    Attributes:
        robot: The robot in it.
        name: Name of the task.
        model: Compiled model.
        data: Its current state.
        state_version: Incremented whenever the state has changed and derived quantities are up to date.
        on_step: Called after the last physics step of `advance` and `follow`, while its contact forces are known.
    """

    def __init__(
        self, robot: Robot, task: SceneSource, dynamics: str = IDENTIFIED, extensions: Sequence[Extend] = ()
    ) -> None:
        self.robot = robot
        self.name = task.name
        spec = task.compose(robot)
        robot.set_dynamics(spec, dynamics)
        self.model = spec.compile()
        if extensions:
            _ = self.model_sha256
            for extend in extensions:
                extend(spec)
            self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._task = task
        self._stepper = Stepper(self.model, self.data)
        self._contacts = Contacts(self.model, self.data, _contact_groups(robot, task, self.model))
        self._velocity = np.empty(6)
        self._state_size = mujoco.mj_stateSize(self.model, STATE.value)
        self._view_state()
        self.state_version = 0
        self.on_step: Callable[[], None] = lambda: None
        self.refresh()

    @cached_property
    def model_sha256(self) -> str:
        """SHA-256 of the compiled model without extensions; models with the same hash behave the same."""
        buffer = np.empty(mujoco.mj_sizeModel(self.model), np.uint8)
        mujoco.mj_saveModel(self.model, None, buffer)
        return hashlib.sha256(buffer.tobytes()).hexdigest()

    @property
    def models(self) -> tuple[mujoco.MjModel, ...]:
        """All models that the physics are stepped with: `model`, and one with short steps if there is one."""
        return self._stepper.models

    @property
    def camera_names(self) -> tuple[str, ...]:
        return tuple(self.model.camera(i).name for i in range(self.model.ncam))

    def refresh(self) -> None:
        """Compute everything that depends on positions and velocities."""
        self._stepper.begin()
        self._contacts.invalidate()
        self.state_version += 1

    def advance(self, substeps: int) -> None:
        """Step the physics under the current controls; contacts and poses are up to date afterwards.

        The split step costs no more than `substeps` plain ones, and continues bit for bit after `set_state`.

        Raises:
            SimulationError: The simulation has become unstable.
        """
        self._stepper.finish()
        self._stepper.step(substeps - 1)
        self._end_steps()

    def follow(self, actuators: npt.NDArray[np.int_], path: FloatArray) -> None:
        """Step the physics once per row of a path (substeps, C) of controls for C actuators; the last row stays set.

        Raises:
            SimulationError: The simulation has become unstable.
        """
        ctrl = self.data.ctrl
        rows = np.tile(ctrl, (len(path), 1))
        rows[:, actuators] = path
        ctrl[:] = rows[0]
        self._stepper.finish()
        for controls in rows[1:]:
            ctrl[:] = controls
            self._stepper.step()
        self._end_steps()

    def state(self) -> FloatArray:
        """Full integration state, shape (S,) float64."""
        out = np.empty(self._state_size)
        mujoco.mj_getState(self.model, self.data, out, STATE.value)
        return out

    def check_camera(self, name: str) -> None:
        """Raise an UnknownNameError if there is no such camera."""
        check_name("camera", name, self.camera_names)

    def set_state(self, state: FloatArray) -> None:
        """Continue from `state` (S,).

        Raises:
            SimulationError: The state has another size, or is not finite.
        """
        self.check_state(state)
        mujoco.mj_setState(self.model, self.data, np.ascontiguousarray(state, dtype=np.float64), STATE.value)
        self.refresh()

    def check_state(self, state: FloatArray) -> None:
        """Raise a SimulationError if `state` has another size than those of the scene, or is not finite."""
        size = self._state_size
        if np.shape(state) != (size,) or not np.isfinite(state).all():
            raise SimulationError(
                f"The state does not fit {self.name}: got shape {np.shape(state)}, expected ({size},), all finite.",
                "The state may come from another task or version.",
                got=np.shape(state),
                expected=(size,),
            )

    def reset_time(self) -> None:
        """Set the simulated time to 0; nothing else changes."""
        self.data.time = 0.0

    def reset(self, body_poses: Mapping[str, Pose]) -> None:
        """Put the robot at home with matching controls and bodies at the given poses, everything at rest."""
        mujoco.mj_resetData(self.model, self.data)
        for arm in self.robot.arms:
            for joint, position in zip(arm.joints, arm.home, strict=True):
                self.data.joint(joint).qpos = position
            self.data.joint(arm.gripper.joint).qpos = arm.home_finger
            self.data.joint(arm.gripper.mirror_joint).qpos = -arm.home_finger
        self.hold_robot()
        for body, pose in body_poses.items():
            self.place(body, pose)
        self.refresh()

    def hold_robot(self) -> None:
        """Set the controls to the current joint positions."""
        for arm in self.robot.arms:
            gripper = arm.gripper
            pairs = [*zip(arm.joints, arm.actuators, strict=True), (gripper.joint, gripper.actuator)]
            if gripper.mirror_actuator:
                pairs.append((gripper.mirror_joint, gripper.mirror_actuator))
            for joint, actuator in pairs:
                self.data.actuator(actuator).ctrl = self.data.joint(joint).qpos

    def place_fixture(self, body: str, pose: Pose) -> None:
        """Set the pose of a fixture (a mocap body). Call `refresh` before reading anything."""
        index = int(self.model.body(body).mocapid[0])
        self.data.mocap_pos[index], self.data.mocap_quat[index] = pose.position, pose.quaternion

    def place(self, body: str, pose: Pose) -> None:
        """Set the pose of a free body, at rest, or of a fixture. Call `refresh` before reading anything."""
        if self.model.body(body).mocapid[0] >= 0:
            self.place_fixture(body, pose)
            return
        joint = self.data.joint(int(self.model.body(body).jntadr[0]))
        joint.qpos = np.concatenate([pose.position, pose.quaternion])
        joint.qvel = 0.0

    def body_pose(self, body: str) -> Pose:
        """Pose of a body frame in the world."""
        index = self._body_id(body)
        return Pose(self._xpos[index].copy(), self._xquat[index].copy())

    def body_poses(self, bodies: Sequence[str]) -> FloatArray:
        """Poses of body frames in the world, concatenated (xyz [m], wxyz), shape (7 * bodies,)."""
        ids = self._body_ids(tuple(bodies))
        return np.concatenate([self._xpos.take(ids, 0), self._xquat.take(ids, 0)], axis=1).ravel()

    def body_velocity(self, body: str) -> tuple[FloatArray, FloatArray]:
        """Linear [m/s] and angular [rad/s] velocity of a body frame, world axes, shapes (3,)."""
        kind = mujoco.mjtObj.mjOBJ_BODY
        mujoco.mj_objectVelocity(self.model, self.data, kind, self._body_id(body), self._velocity, 0)
        return self._velocity[3:].copy(), self._velocity[:3].copy()

    def joint_position(self, joint: str) -> float:
        """Position of a hinge [rad] or a slide [m]."""
        return float(self._qpos[self._joint_address(joint)])

    def site_pose(self, site: str) -> Pose:
        """Pose of a site in the world."""
        index = self._site_id(site)
        return Pose(self._site_xpos[index].copy(), quaternion_of(self._site_xmat[index]))

    def groups_touch(self, a: str, b: str) -> bool:
        """Whether any geom of group `a` is in contact with any geom of group `b`.

        Groups: the task's, "table", and per arm "<arm>_fingers", "<arm>_finger_0", "<arm>_finger_1", "<arm>_arm"; and
        each body, with everything attached to it.
        """
        return self._contacts.groups_touch(a, b)

    def bodies_touch(self, a: str, b: str) -> bool:
        """Whether body `a` or anything attached to it is in contact with body `b` or anything attached to it.

        Raises:
            UnknownNameError: No such body.
        """
        return self._contacts.bodies_touch(a, b)

    def grasped(self, group: str, arm: str) -> bool:
        """Whether both fingers of an arm touch the group."""
        return self.groups_touch(group, f"{arm}_finger_0") and self.groups_touch(group, f"{arm}_finger_1")

    def _view_state(self) -> None:
        """Keep views of the data and ids of names: looking them up takes several times as long as reading them."""
        model, data = self.model, self.data
        self._qpos, self._qvel = data.qpos, data.qvel
        self._xpos, self._xquat = data.xpos, data.xquat
        self._site_xpos, self._site_xmat = data.site_xpos, data.site_xmat
        self._body_id: Callable[[str], int] = cache(lambda name: model.body(name).id)
        self._joint_address: Callable[[str], int] = cache(lambda name: int(model.joint(name).qposadr[0]))
        self._site_id: Callable[[str], int] = cache(lambda name: model.site(name).id)
        self._body_ids: Callable[[tuple[str, ...]], npt.NDArray[np.intp]] = cache(
            lambda names: np.array([model.body(name).id for name in names], np.intp)
        )

    def _end_steps(self) -> None:
        self.on_step()
        self.refresh()
        if self._task.update_constraints(self):
            self.refresh()
        self._check_stable()

    def _check_stable(self) -> None:
        # MuJoCo's automatic reset is disabled: it would jump to the default positions in the middle of an episode.
        # A speed that is not a number is not below the limit either.
        if not (np.abs(self._qvel).max() < MAX_SPEED and np.isfinite(self._qpos).all()):
            raise SimulationError(
                f"The simulation of {self.name} has become unstable at {self.data.time:.3f} s of simulated time."
            )


def _contact_groups(robot: Robot, task: SceneSource, model: mujoco.MjModel) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {"table": [model.geom("table").id]}
    for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
        fingers = [model.geom(name).id for name in arm.gripper.finger_geoms]
        groups[f"{arm.name}_finger_0"], groups[f"{arm.name}_finger_1"] = [fingers[0]], [fingers[1]]
        groups[f"{arm.name}_fingers"] = fingers
        groups[f"{arm.name}_arm"] = [i for i in range(model.ngeom) if model.geom(i).name.startswith(prefix)]
    for name, geoms in task.contact_groups.items():
        groups[name] = [model.geom(geom).id for geom in geoms]
    return groups
