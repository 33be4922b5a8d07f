"""End-effector control by increments, with the meaning that OSC_POSE has in LIBERO."""

import mujoco
import numpy as np

from ambidex.envs.controllers.osc_memory import OscMemory
from ambidex.envs.controllers.osc_reference import OscReference
from ambidex.envs.controllers.osc_settings import OscSettings
from ambidex.envs.joint_space import JointSpace
from ambidex.envs.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray

NAMES = ("dx", "dy", "dz", "drx", "dry", "drz", "gripper")
STEPS_TO_CLOSE = 8
CLOSE, OPEN = 1.0, -1.0


class EeDelta:
    """Seven numbers in [-1, 1]: shift (3,) and rotation vector (3,) of the tool in the base's axes, and the gripper.

    A shift of 1 puts the goal 0.05 m, a rotation of 1 puts it 0.5 rad from where the tool is now. The goal moves
    with the tool at each step while the arm still accelerates, so a full shift held on comes to 13 mm a step. Without
    any rotation the goal keeps its orientation. The gripper goes by the sign: -1 opens, 1 closes, 8 steps from end
    to end, 0 holds.

    Where the arm should be is remembered in the simulation's user data. It may get ahead of an arm that is held back
    by a fixed torque only: a load is carried without sagging further, and pushing against a table winds nothing up.
    """

    def __init__(self, scene: Scene, control_hz: float, settings: OscSettings | None = None) -> None:
        self._settings = settings or OscSettings()
        (arm,) = scene.robot.arms
        self._space = JointSpace(scene)
        self._reference = OscReference(np.array(arm.home), self._settings)
        self._duration = 1.0 / control_hz
        actuators = [scene.model.actuator(name).id for name in arm.actuators]
        dofs = [int(scene.model.joint(name).dofadr[0]) for name in arm.joints]
        stiffness = scene.model.actuator_gainprm[actuators, 0]
        damping = scene.model.dof_damping[dofs] - scene.model.actuator_biasprm[actuators, 2]
        self._lead = damping / stiffness
        self._slack = np.array(self._settings.slack) / stiffness
        self.action_names = tuple(f"{arm.name}_{name}" for name in NAMES)
        self.low = np.full(len(NAMES), -1.0, np.float32)
        self.high = np.full(len(NAMES), 1.0, np.float32)

    def idle(self, scene: Scene) -> Float32Array:
        """The action that does nothing and leaves the gripper open, as everyone settles LIBERO's scenes."""
        return np.array([0, 0, 0, 0, 0, 0, OPEN], np.float32)

    def joint_action(self, scene: Scene, action: Float32Array) -> Float32Array:
        wanted = np.clip(action.astype(np.float64), -1.0, 1.0)
        now, free = self._now(scene)
        memory = self._next(now, wanted[:6])
        memory.write(scene.data.userdata)
        opening = self._space.commanded()[-1] - np.sign(wanted[6]) / STEPS_TO_CLOSE
        # The servos trail a steady motion by this much; with the lead the arm is where the reference is.
        command = memory.position + free * self._lead * memory.velocity
        return np.append(command, np.clip(opening, 0.0, 1.0)).astype(np.float32)

    def _now(self, scene: Scene) -> tuple[OscMemory, float]:
        """The reference, at most the slack ahead of the arm, and how freely the arm moves: 1 in the air."""
        position, velocity = self._space.positions()[:-1], self._space.velocities()[:-1]
        memory = OscMemory.read(scene.data.userdata)
        if memory is None:
            goal = _quaternion(self._reference.tool(position)[1])
            return OscMemory(position=position, velocity=velocity, goal=goal), 1.0
        ahead = memory.position - position
        excess = float(np.max(np.abs(ahead) / self._slack)) - 1.0
        if excess <= 0.0:
            return memory, 1.0
        kept = 1.0 / (1.0 + excess)
        drawn = OscMemory(
            position=position + kept * ahead,
            velocity=velocity + kept * (memory.velocity - velocity),
            goal=memory.goal,
        )
        return drawn, max(0.0, 1.0 - excess)

    def _next(self, now: OscMemory, wanted: FloatArray) -> OscMemory:
        position, rotation = self._reference.tool(now.position)
        turn = self._settings.rotation_scale * wanted[3:]
        goal = _rotation_of(turn) @ rotation if turn.any() else _matrix(now.goal)
        shifted = position + self._settings.position_scale * wanted[:3]
        q, velocity = self._reference.advance(now.position, now.velocity, shifted, goal, self._duration)
        return OscMemory(position=q, velocity=velocity, goal=_quaternion(goal))


def _rotation_of(vector: FloatArray) -> FloatArray:
    quaternion, angle = np.empty(4), float(np.linalg.norm(vector))
    mujoco.mju_axisAngle2Quat(quaternion, vector / angle, angle)
    return _matrix(quaternion)


def _matrix(quaternion: FloatArray) -> FloatArray:
    out = np.empty(9)
    mujoco.mju_quat2Mat(out, quaternion)
    return out.reshape(3, 3)


def _quaternion(matrix: FloatArray) -> FloatArray:
    out = np.empty(4)
    mujoco.mju_mat2Quat(out, np.ascontiguousarray(matrix).ravel())
    return out
