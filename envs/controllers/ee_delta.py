"""End-effector control by increments, with the meaning that OSC_POSE has in LIBERO."""

import mujoco
import numpy as np

from ambidex.envs.controllers.osc import OscMemory, OscReference, OscSettings
from ambidex.envs.registry import EE_DELTA
from ambidex.envs.robot import Arm
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.pose import norm, quaternion_about, quaternion_of, rotation_matrix
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray

STEPS_TO_CLOSE = 8
HOLD, OPEN = 0.0, -1.0  # gripper actions; 1 closes


class EeDelta:
    """Seven numbers in [-1, 1]: translation (3,) and rotation vector (3,) of the tool in the base's axes, and gripper.

    A translation of 1 puts the goal 0.05 m from where the tool is now, a rotation of 1 puts it 0.5 rad from there. As
    the goal is set anew at each step while the arm still accelerates, a constant translation of 1 moves the tool by 13
    mm a step. Without rotation the goal keeps its orientation. The gripper moves by the sign of its value: -1 opens, 1
    closes, in 8 steps from end to end, 0 holds.

    In free space the servos follow the motion that LIBERO's arm would make (`OscReference`). Where something blocks the
    arm, they push as hard as LIBERO's controller would, and the motion restarts from where the arm is. The reference
    motion is stored in the simulation's user data (`OscMemory`). Joint commands stay within the joints' speed limits.
    """

    def __init__(self, scene: Scene, control_hz: float) -> None:
        self._settings = OscSettings()
        (arm,) = scene.robot.arms
        self._space = JointSpace(scene)
        self._servos = Servos(scene.model, arm)
        self._reference = OscReference(np.array(arm.home), self._settings)
        self._duration = 1.0 / control_hz
        self._max_steps = arm.max_steps(control_hz)
        self._held = np.array(self._settings.held)
        self.action_names = tuple(f"{arm.name}_{name}" for name in EE_DELTA)
        self.low = np.full(len(EE_DELTA), -1.0, np.float32)
        self.high = np.full(len(EE_DELTA), 1.0, np.float32)

    def idle(self, scene: Scene, *, hold_gripper: bool = False) -> Float32Array:
        """No motion; opens the gripper, as LIBERO's settling steps usually do, or holds it."""
        return np.array([0, 0, 0, 0, 0, 0, HOLD if hold_gripper else OPEN], np.float32)

    def joint_action(self, scene: Scene, action: Float32Array) -> Float32Array:
        return self.command(action, scene.data.userdata)

    def command(self, action: Float32Array, memory: FloatArray) -> Float32Array:
        """The joint command for an action, shape (J,) float32.

        Args:
            action: Shape (7,).
            memory: Holds the reference motion from step to step: at least `OscMemory.SIZE` numbers, overwritten;
                zeros at the start of an episode.
        """
        wanted = action.astype(np.float64).clip(-1.0, 1.0)
        *last, opening = self._space.commanded()
        opening -= np.sign(wanted[6]) / STEPS_TO_CLOSE
        command = self._arm_command(memory, wanted[:6])
        command = last + (command - last).clip(-self._max_steps, self._max_steps)
        return np.append(command, min(max(opening, 0.0), 1.0)).astype(np.float32)

    def _arm_command(self, memory: FloatArray, wanted: FloatArray) -> FloatArray:
        here, speed = self._space.positions()[:-1], self._space.velocities()[:-1]
        now, free = self._current(OscMemory.read(memory), here, speed)
        position, rotation = self._goal(now, wanted)
        q, velocity = self._reference.advance(now.position, now.velocity, position, rotation, self._duration)
        OscMemory(position=q, velocity=velocity, goal=quaternion_of(rotation)).write(memory)
        command = self._servos.command_of_motion(q, velocity)
        if free == 1.0:
            return command
        torque = self._reference.torque(now.position, now.velocity, position, rotation)
        return free * command + (1.0 - free) * self._servos.command_of_torque(here, torque)

    def _current(self, memory: OscMemory | None, here: FloatArray, speed: FloatArray) -> tuple[OscMemory, float]:
        """The state that the reference continues from, and how freely the arm moves, 0 to 1."""
        if memory is None:
            return OscMemory(position=here, velocity=speed, goal=quaternion_of(self._reference.tool(here)[1])), 1.0
        lag = memory.velocity - speed
        lag_ratio = norm(lag) / (norm(memory.velocity) + self._settings.still)
        follows = min(1.0, max(0.0, 3.0 - 4.0 * lag_ratio))
        ahead = self._servos.stiffness * (memory.position - here)
        excess = (ahead - ahead.clip(-self._held, self._held)) / self._servos.stiffness
        current = OscMemory(
            position=memory.position - (1.0 - follows * (1.0 - self._settings.leak)) * excess,
            velocity=memory.velocity - (1.0 - follows) * lag,
            goal=memory.goal,
        )
        # An arm that lags behind although its servos hardly push was blocked, but no longer is.
        effort = self._servos.torque(self._space.commanded()[:-1], here, speed)
        unloaded = 2.0 - float(np.max(np.abs(effort) / self._held))
        return current, max(follows, min(1.0, unloaded))

    def _goal(self, now: OscMemory, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        position, rotation = self._reference.tool(now.position)
        turn = self._settings.rotation_scale * wanted[3:]
        goal = _rotation_of(turn) @ rotation if turn.any() else rotation_matrix(now.goal)
        return position + self._settings.position_scale * wanted[:3], goal


class Servos:
    """The position actuators of one arm. Their torque is stiffness * (command - q) - damping * velocity.

    Attributes:
        stiffness: Shape (joints,) [N m/rad].
        damping: Of actuators and joints together, shape (joints,) [N m s/rad].
        lags: Of a steady motion behind its command, shape (joints,) [s].
    """

    def __init__(self, model: mujoco.MjModel, arm: Arm) -> None:
        actuators = [model.actuator(name).id for name in arm.actuators]
        dofs = [int(model.joint(name).dofadr[0]) for name in arm.joints]
        self.stiffness: FloatArray = model.actuator_gainprm[actuators, 0].copy()
        self.damping: FloatArray = model.dof_damping[dofs] - model.actuator_biasprm[actuators, 2]
        self.lags = self.damping / self.stiffness

    def command_of_motion(self, q: FloatArray, velocity: FloatArray) -> FloatArray:
        """The command for which a steady motion passes `q` at `velocity`: the servos lag behind it."""
        return np.asarray(q + self.lags * velocity)

    def command_of_torque(self, q: FloatArray, torque: FloatArray) -> FloatArray:
        """The command for which an arm at rest at `q` is driven with `torque` (joints,) [N m]."""
        return np.asarray(q + torque / self.stiffness)

    def torque(self, command: FloatArray, q: FloatArray, velocity: FloatArray) -> FloatArray:
        """The torque on the joints without limits, shape (joints,) [N m]."""
        return np.asarray(self.stiffness * (command - q) - self.damping * velocity)


def _rotation_of(vector: FloatArray) -> FloatArray:
    angle = norm(vector)
    return rotation_matrix(quaternion_about(vector / angle, angle))
