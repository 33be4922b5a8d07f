"""The composed world, read and written by name."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Robot
from ambidex.envs.simulation.contacts import Contacts
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.errors import SimulationError

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
MAX_SPEED = 1e4  # of any joint; far beyond what the cell can do [m/s, rad/s]


class SceneSource(Protocol):
    """What a scene is composed from; a `Task` is one."""

    @property
    def name(self) -> str: ...
    @property
    def contact_groups(self) -> Mapping[str, tuple[str, ...]]: ...
    def compose(self, robot: Robot) -> mujoco.MjSpec: ...


class Scene:
    """One MuJoCo world of a task and a robot.

    Attributes:
        robot: The robot in it.
        name: Name of the task it is composed for.
        model: Compiled model.
        data: Its live state.
        moment: Grows whenever the state has changed and everything that follows from it is up to date.
    """

    def __init__(self, robot: Robot, task: SceneSource) -> None:
        self.robot = robot
        self.name = task.name
        self.model = task.compose(robot).compile()
        self.data = mujoco.MjData(self.model)
        self._contacts = Contacts(self.model, self.data, _contact_groups(robot, task, self.model))
        self._velocity = np.empty(6)
        self._body_ids: dict[tuple[str, ...], npt.NDArray[np.intp]] = {}
        self.state_version = 0
        self.refresh()

    @cached_property
    def model_sha256(self) -> str:
        """Fingerprint of the compiled model: equal fingerprints, equal physics."""
        buffer = np.empty(mujoco.mj_sizeModel(self.model), np.uint8)
        mujoco.mj_saveModel(self.model, None, buffer)
        return hashlib.sha256(buffer.tobytes()).hexdigest()

    @property
    def camera_names(self) -> tuple[str, ...]:
        return tuple(self.model.camera(i).name for i in range(self.model.ncam))

    def refresh(self) -> None:
        """Bring everything derived from positions and velocities up to date."""
        mujoco.mj_step1(self.model, self.data)
        self._contacts.forget()
        self.state_version += 1

    def advance(self, substeps: int) -> None:
        """Step the physics under the current controls; leaves contacts and poses up to date with qpos.

        The split step costs no more than `substeps` plain ones, and a state set by `set_state` continues bit for bit.

        Raises:
            SimulationError: The physics has become unstable.
        """
        mujoco.mj_step2(self.model, self.data)
        if substeps > 1:
            mujoco.mj_step(self.model, self.data, substeps - 1)
        self.refresh()
        self._check_finite("The physics has become unstable")

    def follow(self, actuators: npt.NDArray[np.int_], path: FloatArray) -> None:
        """Step the physics once per row of controls, which stay in force after the last.

        Args:
            actuators: Their ids, shape (C,).
            path: Controls, shape (substeps, C).

        Raises:
            SimulationError: The physics has become unstable.
        """
        model, data = self.model, self.data
        data.ctrl[actuators] = path[0]
        mujoco.mj_step2(model, data)
        for controls in path[1:]:
            data.ctrl[actuators] = controls
            mujoco.mj_step(model, data)
        self.refresh()
        self._check_finite("The physics has become unstable")

    def state(self) -> FloatArray:
        """Full integration state, shape (S,) float64."""
        out = np.empty(mujoco.mj_stateSize(self.model, STATE.value))
        mujoco.mj_getState(self.model, self.data, out, STATE.value)
        return out

    def set_state(self, state: FloatArray) -> None:
        """Continue from `state` (S,).

        Raises:
            SimulationError: It is not of this scene's size, or not finite.
        """
        size = mujoco.mj_stateSize(self.model, STATE.value)
        if np.shape(state) != (size,) or not np.isfinite(state).all():
            raise SimulationError(
                f"A state of shape {np.shape(state)} cannot be continued from in {self.name}: expected "
                f"({size},), all numbers finite. It may come from another task or version."
            )
        mujoco.mj_setState(self.model, self.data, np.ascontiguousarray(state, dtype=np.float64), STATE.value)
        self.refresh()

    def restart_clock(self) -> None:
        """Let simulated time begin now; nothing else changes."""
        self.data.time = 0.0

    def _check_finite(self, what: str) -> None:
        # MuJoCo would start again from its default position, in the middle of an episode; that is switched off.
        data = self.data
        if not (np.isfinite(data.qpos).all() and np.isfinite(data.qvel).all() and np.abs(data.qvel).max() < MAX_SPEED):
            raise SimulationError(f"{what} in {self.name} at {data.time:.3f} s of simulated time.")

    def reset(self, prop_poses: Mapping[str, Pose]) -> None:
        """Robot at home with controls to match, props where given, everything at rest."""
        mujoco.mj_resetData(self.model, self.data)
        for arm in self.robot.arms:
            for joint, position in zip(arm.joints, arm.home, strict=True):
                self.data.joint(joint).qpos = position
            self.data.joint(arm.gripper.joint).qpos = arm.home_finger
            self.data.joint(arm.gripper.mirror_joint).qpos = -arm.home_finger
        self.hold_robot()
        for body, pose in prop_poses.items():
            self.place(body, pose)
        self.refresh()

    def hold_robot(self) -> None:
        """Command the robot to stay where it is."""
        for arm in self.robot.arms:
            gripper = arm.gripper
            pairs = [*zip(arm.joints, arm.actuators, strict=True), (gripper.joint, gripper.actuator)]
            if gripper.mirror_actuator:
                pairs.append((gripper.mirror_joint, gripper.mirror_actuator))
            for joint, actuator in pairs:
                self.data.actuator(actuator).ctrl = self.data.joint(joint).qpos

    def place_fixture(self, body: str, pose: Pose) -> None:
        """Put a body that nothing moves somewhere. Call `refresh` before reading anything.

        Raises:
            UnknownNameError: There is no such body that can be put somewhere.
        """
        index = int(self.model.body(body).mocapid[0])
        self.data.mocap_pos[index], self.data.mocap_quat[index] = pose.position, pose.quaternion

    def place(self, body: str, pose: Pose) -> None:
        """Put a free body somewhere, at rest. Call `refresh` before reading anything."""
        joint = self.data.joint(int(self.model.body(body).jntadr[0]))
        joint.qpos = np.concatenate([pose.position, pose.quaternion])
        joint.qvel = 0.0

    def body_pose(self, body: str) -> Pose:
        """Pose of a body frame in the world."""
        view = self.data.body(body)
        return Pose(view.xpos.copy(), view.xquat.copy())

    def body_poses(self, bodies: Sequence[str]) -> FloatArray:
        """Poses of body frames in the world, one after the other (xyz [m], wxyz), shape (7 * bodies,)."""
        names = tuple(bodies)
        if names not in self._body_ids:
            self._body_ids[names] = np.array([self.model.body(body).id for body in names], np.intp)
        ids = self._body_ids[names]
        return np.hstack([self.data.xpos[ids], self.data.xquat[ids]]).ravel()

    def body_velocity(self, body: str) -> tuple[FloatArray, FloatArray]:
        """Linear [m/s] and angular [rad/s] velocity of a body frame, world axes, shapes (3,)."""
        kind = mujoco.mjtObj.mjOBJ_BODY
        mujoco.mj_objectVelocity(self.model, self.data, kind, self.model.body(body).id, self._velocity, 0)
        return self._velocity[3:].copy(), self._velocity[:3].copy()

    def site_pose(self, site: str) -> Pose:
        """Pose of a site in the world."""
        view = self.data.site(site)
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, view.xmat)
        return Pose(view.xpos.copy(), quaternion)

    def groups_touch(self, a: str, b: str) -> bool:
        """Whether any geom of group `a` is in contact with any geom of group `b`, in either order.

        Groups: the task's, "table", and per arm "<arm>_fingers", "<arm>_finger_0", "<arm>_finger_1", "<arm>_arm".
        """
        return self._contacts.groups_touch(a, b)

    def bodies_touch(self, a: str, b: str) -> bool:
        """Whether body `a`, or anything attached to it, is in contact with body `b`, likewise, in either order.

        Raises:
            UnknownNameError: There is no such body.
        """
        return self._contacts.bodies_touch(a, b)

    def grasped(self, group: str, arm: str) -> bool:
        """Whether both fingers of an arm touch the group."""
        return self.groups_touch(group, f"{arm}_finger_0") and self.groups_touch(group, f"{arm}_finger_1")


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
