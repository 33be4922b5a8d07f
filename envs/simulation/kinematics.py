"""Forward kinematics and damped differential inverse kinematics of one arm."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np

from ambidex.envs.robot import Arm, Robot
from ambidex.envs.simulation.pose import Pose, norm, quaternion_of
from ambidex.envs.types import FloatArray

RETRY_DAMPING = 1e-3  # added after a step that increased the error, times (scale - 1) [m^2/rad^2]


@dataclass(frozen=True, kw_only=True)
class IkSettings:
    """Weights of the least-squares step.

    Attributes:
        damping: Weight of a joint step far from singularities [m^2/rad^2].
        singular_damping: Weight added at a singularity, where undamped steps would grow without bound, for an error of
            a centimetre or more; proportionally less for smaller errors, so that the last millimetre converges.
        singular_below: Manipulability sqrt |det J J^T| below which it is added, quadratically (Nakamura and Hanafusa,
            1986).
        posture: Weight of the distance from the home posture [m^2/rad^2].
        rotation_weight: Weight of orientation errors relative to position errors [m/rad].
        tolerance: Weighted error at which to stop [m].
    """

    damping: float = 1e-6
    singular_damping: float = 1e-3
    singular_below: float = 2e-4
    posture: float = 1e-8
    rotation_weight: float = 0.2
    tolerance: float = 1e-5


class Kinematics:
    """Kinematics of one arm, on a model that holds only its joints. Joint vectors q have shape (joints,) [rad].

    Attributes:
        low: Lower joint limits [rad].
        high: Upper joint limits [rad].
    """

    def __init__(self, robot: Robot, arm: Arm, settings: IkSettings | None = None) -> None:
        self._settings = settings or IkSettings()
        self._model = _joints_only(robot, arm)
        self._data = mujoco.MjData(self._model)
        joints = [self._model.joint(name) for name in arm.joints]
        self._qpos = np.array([int(joint.qposadr[0]) for joint in joints])
        self._dofs = np.array([int(joint.dofadr[0]) for joint in joints])
        self._site = self._model.site(arm.tcp_site).id
        self._tool_position, self._tool_rotation = self._data.site_xpos[self._site], self._data.site_xmat[self._site]
        self.low = np.array([joint.range[0] for joint in joints])
        self.high = np.array([joint.range[1] for joint in joints])
        self._home = np.array(arm.home)
        self._jacobian = np.zeros((6, self._model.nv))
        self._weights = np.array([1.0, 1.0, 1.0, *3 * [self._settings.rotation_weight]])
        self._eye = np.eye(len(joints))

    def forward(self, q: FloatArray) -> Pose:
        """Pose of the tool centre point in the world."""
        self._data.qpos[self._qpos] = q
        mujoco.mj_kinematics(self._model, self._data)
        return Pose(self._tool_position.copy(), quaternion_of(self._tool_rotation))

    def jacobian(self, q: FloatArray) -> FloatArray:
        """Geometric Jacobian of the tool centre point, world axes, linear rows first, shape (6, joints)."""
        self.forward(q)
        return self._jacobian_here()

    def inverse(
        self, q: FloatArray, target: Pose, *, max_step: float | FloatArray = np.inf, iterations: int = 4
    ) -> FloatArray:
        """Joint positions (joints,) [rad] near q that bring the tool to the target, subject to joint limits.

        No joint changes by more than `max_step` from q [rad], one for all or shape (joints,); `iterations` is the
        largest number of Gauss-Newton steps.
        """
        low, high = np.maximum(self.low, q - max_step), np.minimum(self.high, q + max_step)
        best = current = q.clip(low, high)
        least, scale = np.inf, 1.0
        for _ in range(iterations + 1):
            error = self._error(self.forward(current), target)
            size = norm(error)
            if size < least:
                best, least, scale = current, size, max(1.0, scale / 4.0)
                best_error, jacobian = error, self._jacobian_here() * self._weights[:, None]
            else:
                scale *= 16.0  # the step was too long: try a shorter one from the best positions
            if least < self._settings.tolerance:
                break
            step = self._bounded_step(jacobian, best_error, best, low, high, scale)
            current = (best + step).clip(low, high)
        return best

    def solve(self, target: Pose, near: FloatArray, seeds: Iterable[FloatArray]) -> FloatArray | None:
        """The solution nearest to `near` among those found from `near` and the seeds; None if none reaches the target.

        Distance is the largest change of a joint, which determines how long the motion takes.
        """
        found = [self.inverse(seed, target, iterations=60) for seed in (near, *seeds)]
        reached = [q for q in found if np.abs(self._error(self.forward(q), target)).max() < 1e-3]
        return min(reached, key=lambda q: float(np.abs(q - near).max()), default=None)

    def _error(self, tool: Pose, target: Pose) -> FloatArray:
        turn = np.empty(3)
        mujoco.mju_subQuat(turn, target.quaternion, tool.quaternion)
        mujoco.mju_rotVecQuat(turn, turn, tool.quaternion)
        return np.asarray(np.concatenate([target.position - tool.position, turn]) * self._weights)

    def _jacobian_here(self) -> FloatArray:
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_jacSite(self._model, self._data, self._jacobian[:3], self._jacobian[3:], self._site)
        return np.asarray(self._jacobian[:, self._dofs])

    def _bounded_step(
        self, jacobian: FloatArray, error: FloatArray, q: FloatArray, low: FloatArray, high: FloatArray, scale: float
    ) -> FloatArray:
        step = self._least_squares(jacobian, error, q, scale)
        blocked = ((step < 0) & (q <= low)) | ((step > 0) & (q >= high))
        if blocked.any():
            # Joints at a bound stay there; the others are solved for again.
            step = self._least_squares(jacobian * ~blocked, error, q, scale) * ~blocked
        return step

    def _least_squares(self, jacobian: FloatArray, error: FloatArray, q: FloatArray, scale: float) -> FloatArray:
        s = self._settings
        gram = jacobian.T @ jacobian
        # Of the two products the smaller one has full rank away from singularities.
        square = gram if len(gram) <= len(jacobian) else jacobian @ jacobian.T
        manipulability = math.sqrt(max(0.0, float(np.linalg.det(square))))
        shortfall = max(0.0, 1.0 - manipulability / s.singular_below)
        singular = s.singular_damping * shortfall**2 * min(1.0, norm(error) / 0.01)
        damping = s.damping + singular + s.posture + (scale - 1.0) * RETRY_DAMPING
        gradient = jacobian.T @ error + s.posture * (self._home - q)
        return np.asarray(np.linalg.solve(gram + damping * self._eye, gradient))


def _joints_only(robot: Robot, arm: Arm) -> mujoco.MjModel:
    base = tuple(map(float, (*arm.base.position, *arm.base.quaternion)))
    return _compiled(robot.mjcf, robot.mjcf.stat().st_mtime_ns, base, robot.prefixes[robot.arms.index(arm)])


@lru_cache(maxsize=16)  # compiling takes 5 ms and more, and every expert needs it; nothing changes the model
def _compiled(mjcf: Path, changed_ns: int, base: tuple[float, ...], prefix: str) -> mujoco.MjModel:
    spec, child = mujoco.MjSpec(), mujoco.MjSpec.from_file(str(mjcf))
    for geom in list(child.geoms):
        child.delete(geom)
    frame = spec.worldbody.add_frame(pos=base[:3], quat=base[3:])
    spec.attach(child, frame=frame, prefix=prefix)
    return spec.compile()
