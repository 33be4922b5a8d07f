"""Forward kinematics and damped differential inverse kinematics of a robot's arms."""

from dataclasses import dataclass

import mujoco
import numpy as np

from ambidex.envs.pose import Pose
from ambidex.envs.robot import Robot
from ambidex.envs.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class IkSettings:
    """Weights of the least-squares step.

    Attributes:
        damping: Joint-step weight far from singularities [m^2/rad^2]; keeps steps finite.
        singular_damping: Added where the Jacobian is near singular.
        singular_threshold: Smallest singular value below which it is added.
        posture: Weight of staying near the home posture [m^2/rad^2].
        rotation_weight: Metres that one radian of orientation error counts as [m/rad].
        iterations: Most Gauss-Newton steps per call.
        tolerance: Weighted error at which to stop [m].
    """

    damping: float = 1e-5
    singular_damping: float = 2e-3
    singular_threshold: float = 0.05
    posture: float = 1e-7
    rotation_weight: float = 0.2
    iterations: int = 4
    tolerance: float = 2e-5


class Kinematics:
    """Kinematics of all arms of a robot on a model of their joints alone.

    Works on joint vectors q of shape (arms, joints) [rad], in the robot's arm order.
    """

    def __init__(self, robot: Robot, settings: IkSettings | None = None) -> None:
        self._settings = settings or IkSettings()
        self._robot = robot
        self._model = _joints_only(robot)
        self._data = mujoco.MjData(self._model)
        shape = (len(robot.arms), len(robot.arms[0].joints))
        joints = [self._model.joint(name) for arm in robot.arms for name in arm.joints]
        self._qpos = np.array([int(j.qposadr[0]) for j in joints])
        self._dofs = np.array([int(j.dofadr[0]) for j in joints]).reshape(shape)
        self._sites = [self._model.site(arm.tcp_site).id for arm in robot.arms]
        self._low = np.array([j.range[0] for j in joints]).reshape(shape)
        self._high = np.array([j.range[1] for j in joints]).reshape(shape)
        self._home = np.array([arm.home for arm in robot.arms])
        self._jacobian = np.zeros((6, self._model.nv))
        self._weights = np.array([1.0, 1.0, 1.0, *3 * [self._settings.rotation_weight]])

    def forward(self, q: FloatArray) -> list[Pose]:
        """TCP pose of each arm in the world for q (arms, joints) [rad]."""
        self._place(q)
        return [self._tcp(arm) for arm in range(len(self._sites))]

    def jacobians(self, q: FloatArray) -> FloatArray:
        """Geometric Jacobians of the TCPs, world axes, linear rows first, shape (arms, 6, joints)."""
        self._place(q)
        return np.stack([self._site_jacobian(arm) for arm in range(len(self._sites))])

    def inverse(self, q: FloatArray, targets: list[Pose], max_step: float) -> FloatArray:
        """Joint positions near q that bring the TCPs to the targets, as far as limits and `max_step` allow.

        Args:
            q: Where to start, shape (arms, joints) [rad].
            targets: TCP pose of each arm in the world.
            max_step: Largest change of a joint [rad].

        Returns:
            Shape (arms, joints) [rad], within the joint limits.
        """
        low = np.maximum(self._low, q - max_step)
        high = np.minimum(self._high, q + max_step)
        current = np.clip(q, low, high)
        for _ in range(self._settings.iterations):
            self._place(current)
            error = np.stack([self._error(arm, target) for arm, target in enumerate(targets)])
            if np.abs(error).max() < self._settings.tolerance:
                break
            jacobian = np.stack([self._site_jacobian(arm) for arm in range(len(targets))])
            step = self._step(jacobian * self._weights[:, None], error, current, low, high)
            current = np.clip(current + step, low, high)
        return current

    def _place(self, q: FloatArray) -> None:
        self._data.qpos[self._qpos] = q.ravel()
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)

    def _tcp(self, arm: int) -> Pose:
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, self._data.site_xmat[self._sites[arm]])
        return Pose(self._data.site_xpos[self._sites[arm]].copy(), quaternion)

    def _site_jacobian(self, arm: int) -> FloatArray:
        mujoco.mj_jacSite(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._sites[arm])
        return self._jacobian[:, self._dofs[arm]]

    def _error(self, arm: int, target: Pose) -> FloatArray:
        tcp = self._tcp(arm)
        rotation = np.empty(3)
        mujoco.mju_subQuat(rotation, target.quaternion, tcp.quaternion)
        mujoco.mju_rotVecQuat(rotation, rotation, tcp.quaternion)
        return np.concatenate([target.position - tcp.position, rotation]) * self._weights

    def _step(self, jacobian: FloatArray, error: FloatArray, q: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        step = self._least_squares(jacobian, error, q)
        # A joint that would cross its bound is held there and the others take over its share.
        blocked = ((q + step) < low) & (step < 0) & (q <= low) | ((q + step) > high) & (step > 0) & (q >= high)
        if blocked.any():
            step = self._least_squares(jacobian * ~blocked[:, None, :], error, q) * ~blocked
        return step

    def _least_squares(self, jacobian: FloatArray, error: FloatArray, q: FloatArray) -> FloatArray:
        s = self._settings
        transposed = jacobian.transpose(0, 2, 1)
        gram = transposed @ jacobian
        smallest = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[:, 0], 0.0))
        shortfall = np.maximum(0.0, 1.0 - smallest / s.singular_threshold)
        damping = s.damping + s.singular_damping * shortfall**2 * (np.linalg.norm(error, axis=1) + 0.01)
        diagonal = (damping + s.posture)[:, None, None] * np.eye(gram.shape[-1])
        gradient = (transposed @ error[..., None])[..., 0] + s.posture * (self._home - q)
        return np.linalg.solve(gram + diagonal, gradient[..., None])[..., 0]


def _joints_only(robot: Robot) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
        child = mujoco.MjSpec.from_file(str(robot.mjcf))
        for geom in list(child.geoms):
            child.delete(geom)
        frame = spec.worldbody.add_frame(pos=arm.base.position, quat=arm.base.quaternion)
        spec.attach(child, frame=frame, prefix=prefix)
    return spec.compile()
