"""How a thing comes to rest that is let go somewhere: tried in a copy of the world, with its physics."""

import copy

import mujoco
import numpy as np

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.composition import free_joint
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.robot_geoms import robot_geoms

DURATION, WATCHED = 1.2, 0.3  # of a fall, and at its end the time in which nothing may move [s]
MAX_SPEED, MAX_SPIN = 0.008, 0.08  # of things at rest, a little stricter than the task's [m/s, rad/s]
LOOKS = 6  # while things are watched


class Fall:
    """A copy of a scene's world without the robot, in which things may fall.

    Attributes:
        data: State of the copy.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self._model = copy.deepcopy(scene.model)
        self._scene, self.data = scene, mujoco.MjData(model)
        ghost = robot_geoms(model, arm)
        model.geom_contype[ghost] = model.geom_conaffinity[ghost] = 0
        free = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value)
        self._dofs = (model.jnt_dofadr[free][:, None] + np.arange(6)).ravel()
        self._limits = np.tile([MAX_SPEED] * 3 + [MAX_SPIN] * 3, len(free))

    @property
    def moment(self) -> int:
        """Of the world that this is a copy of."""
        return self._scene.moment

    def settles(self, thing: str, pose: Pose) -> bool:
        """Let a thing go at a pose; whether everything is at rest in the end, as `data` shows it then."""
        mujoco.mj_copyData(self.data, self._model, self._scene.data)
        joint = self._model.joint(free_joint(thing))
        place, motion = int(joint.qposadr[0]), int(joint.dofadr[0])
        self.data.qpos[place : place + 7] = np.r_[pose.position, pose.quaternion]
        self.data.qvel[motion : motion + 6] = 0.0
        self._run(DURATION - WATCHED)
        speeds = [self._watched() for _ in range(LOOKS)]
        mujoco.mj_kinematics(self._model, self.data)
        return bool((np.max(speeds, axis=0) <= self._limits).all())

    def _watched(self) -> FloatArray:
        """Speeds of all free things after a while, shape (6 times things,) [m/s, rad/s]."""
        self._run(WATCHED / LOOKS)
        return np.asarray(np.abs(self.data.qvel[self._dofs]))

    def _run(self, duration: float) -> None:
        mujoco.mj_step(self._model, self.data, nstep=round(duration / self._model.opt.timestep))
