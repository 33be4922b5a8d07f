"""The motion of LIBERO's Panda under operational space control, computed on a model of its joints only."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import mujoco
import numpy as np

from ambidex.assets.paths import ROBOTS
from ambidex.envs.types import FloatArray

JOINTS = 7
SITE = "grip_site"


@dataclass(frozen=True, kw_only=True)
class OscSettings:
    """Gains and limits. Damping is critical everywhere.

    Attributes:
        position_scale: Translation for an action of 1 [m].
        rotation_scale: Rotation for an action of 1 [rad].
        stiffness: Acceleration per error of the tool [1/s^2].
        posture_stiffness: Acceleration per joint error from home, in the null space of the tool [1/s^2].
        torque_limits: Of the joints [N m].
        speed_limits: Of the joints, from the data sheet [rad/s].
        friction: Friction loss in a moving joint [N m].
        friction_speed: Speed from which on the loss is full [rad/s].
        damping: Added to the mobility of the tool, so that its inverse stays bounded at singularities [1/kg].
        refreshes: Updates of Jacobian and masses per control step.
        substeps: Integration steps between two updates.
        held: Torque up to which a load is carried without the reference yielding [N m].
        leak: Fraction of a greater lead over the arm that the reference yields per control step; all if blocked.
        still: Joint speed below which an arm at rest does not count as blocked [rad/s].
    """

    position_scale: float = 0.05
    rotation_scale: float = 0.5
    stiffness: float = 150.0
    posture_stiffness: float = 10.0
    torque_limits: tuple[float, ...] = (80.0, 80.0, 80.0, 80.0, 80.0, 12.0, 12.0)
    speed_limits: tuple[float, ...] = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)
    friction: float = 0.1
    friction_speed: float = 0.01
    damping: float = 1e-4
    refreshes: int = 2
    substeps: int = 6
    held: tuple[float, ...] = (4.0, 4.0, 4.0, 4.0, 2.0, 2.0, 2.0)
    leak: float = 0.35
    still: float = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class OscMemory:
    """The state of the reference motion, stored in the simulation's user data so that states continue bit for bit.

    Attributes:
        position: Reference joint positions [rad], shape (7,).
        velocity: Reference joint velocities [rad/s], shape (7,).
        goal: Goal orientation of the tool in the base's frame, a quaternion, shape (4,).
    """

    SIZE: ClassVar[int] = 2 * JOINTS + 4

    position: FloatArray
    velocity: FloatArray
    goal: FloatArray

    @classmethod
    def read(cls, userdata: FloatArray) -> Self | None:
        """Read it; None if nothing has been written since the reset (all zeros)."""
        values = userdata[: cls.SIZE].copy()
        position, velocity, goal = np.split(values, (JOINTS, 2 * JOINTS))
        return cls(position=position, velocity=velocity, goal=goal) if goal.any() else None

    def write(self, userdata: FloatArray) -> None:
        userdata[: self.SIZE] = np.concatenate([self.position, self.velocity, self.goal])


class OscReference:
    """LIBERO's arm and controller: Khatib, 1987, with position and orientation decoupled and torques clipped.

    Evaluated on a model of the arm that LIBERO simulates, without contacts. Jacobian and masses are constant for a part
    of a control step, in which the motion is linear up to the torque limits. The null-space term pulls to the joint
    positions `home` [rad], shape (7,).
    """

    def __init__(self, home: FloatArray, settings: OscSettings) -> None:
        self.settings = settings
        self._model = mujoco.MjModel.from_xml_path(str(ROBOTS / "panda_reference.xml"))
        self._data = mujoco.MjData(self._model)
        self._site = self._model.site(SITE).id
        self._home = home
        self._low, self._high = self._model.jnt_range.T.copy()
        self._torque = np.array(settings.torque_limits)
        self._speed = np.array(settings.speed_limits)
        self._masses = np.zeros((self._model.nv, self._model.nv))
        self._inverse = np.zeros_like(self._masses)
        self._jacobian = np.zeros((6, self._model.nv))
        self._blocks = np.zeros((2, 3, 3))

    def tool(self, q: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Position (3,) [m] and rotation matrix (3, 3) of the tool in the base's frame."""
        self._data.qpos[:] = q
        mujoco.mj_kinematics(self._model, self._data)
        return self._data.site_xpos[self._site].copy(), self._data.site_xmat[self._site].reshape(3, 3).copy()

    def advance(
        self, q: FloatArray, velocity: FloatArray, position: FloatArray, rotation: FloatArray, duration: float
    ) -> tuple[FloatArray, FloatArray]:
        """Joint positions and velocities after controlling towards a pose of the tool for `duration`.

        Args:
            q: Joint positions [rad], shape (7,).
            velocity: Joint velocities [rad/s], shape (7,).
            position: Goal in the base's frame [m], shape (3,).
            rotation: Goal in the base's frame, a rotation matrix, shape (3, 3).
            duration: Time [s].
        """
        step = duration / self.settings.refreshes
        for _ in range(self.settings.refreshes):
            q, velocity = self._coast(q, velocity, position, rotation, step)
            free = ((q > self._low) | (velocity > 0.0)) & ((q < self._high) | (velocity < 0.0))
            q, velocity = q.clip(self._low, self._high), velocity * free
        return q, velocity

    def torque(self, q: FloatArray, velocity: FloatArray, position: FloatArray, rotation: FloatArray) -> FloatArray:
        """The joint torques towards a pose of the tool, without gravity compensation [N m], shape (7,)."""
        constant, slope = self._law(q, velocity, position, rotation)
        wanted = constant - slope[:, len(q) :] @ velocity
        return np.asarray(np.clip(wanted, -self._torque, self._torque) - self._data.qfrc_bias)

    def _coast(
        self, q: FloatArray, velocity: FloatArray, position: FloatArray, rotation: FloatArray, duration: float
    ) -> tuple[FloatArray, FloatArray]:
        s = self.settings
        constant, slope = self._law(q, velocity, position, rotation)
        h = duration / s.substeps
        gain = h * self._inverse
        loss = s.friction * (velocity / s.friction_speed).clip(-1.0, 1.0)
        others = gain @ (self._data.qfrc_passive - self._data.qfrc_bias - loss)
        joints = len(q)
        motion = np.concatenate([np.zeros(joints), velocity])
        lowest, highest = -self._torque, self._torque
        moved, velocity = motion[:joints], motion[joints:]
        for _ in range(s.substeps):
            torque = np.minimum(np.maximum(constant - slope @ motion, lowest), highest)
            velocity += gain @ torque + others
            moved += h * velocity
        return q + moved, velocity.clip(-self._speed, self._speed)

    def _law(
        self, q: FloatArray, velocity: FloatArray, position: FloatArray, rotation: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The torque as constant (7,) - slope (7, 14) @ (joint positions moved since, joint velocities)."""
        s, jacobian = self.settings, self._jacobian
        self._refresh(q, velocity)
        error = np.concatenate([position - self._data.site_xpos[self._site], self._turn(rotation)])
        mobility = jacobian @ self._inverse @ jacobian.T
        mobility.flat[::7] += s.damping
        self._blocks[0], self._blocks[1] = mobility[:3, :3], mobility[3:, 3:]
        linear, angular = np.linalg.inv(self._blocks)
        pull = np.empty_like(jacobian.T)
        pull[:, :3], pull[:, 3:] = jacobian[:3].T @ linear, jacobian[3:].T @ angular
        # Null space: joint torque per joint acceleration that does not move the tool.
        rest = self._masses - jacobian.T @ np.linalg.inv(mobility) @ jacobian
        task = pull @ jacobian
        slope = np.empty((len(q), 2 * len(q)))
        slope[:, : len(q)] = s.stiffness * task + s.posture_stiffness * rest
        slope[:, len(q) :] = 2.0 * (math.sqrt(s.stiffness) * task + math.sqrt(s.posture_stiffness) * rest)
        constant = s.stiffness * pull @ error + s.posture_stiffness * rest @ (self._home - q) + self._data.qfrc_bias
        return constant, slope

    def _refresh(self, q: FloatArray, velocity: FloatArray) -> None:
        self._data.qpos[:], self._data.qvel[:] = q, velocity
        mujoco.mj_fwdPosition(self._model, self._data)
        mujoco.mj_fwdVelocity(self._model, self._data)
        mujoco.mj_fullM(self._model, self._data, self._masses)
        self._inverse = np.linalg.inv(self._masses)
        mujoco.mj_jacSite(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._site)

    def _turn(self, rotation: FloatArray) -> FloatArray:
        """Orientation error: half the sum of the axes' cross products, i.e. the sine of the angle times the axis."""
        here = self._data.site_xmat[self._site].reshape(3, 3)
        d = here @ rotation.T
        return 0.5 * np.array([d[1, 2] - d[2, 1], d[2, 0] - d[0, 2], d[0, 1] - d[1, 0]])
