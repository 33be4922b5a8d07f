"""Operational space control at torque level at 500 Hz on the reference arm, which `ee` control reproduces."""

from collections.abc import Sequence

import mujoco
import numpy as np

from ambidex.assets.paths import ROBOTS
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.types import FloatArray

TORQUES = np.array([80.0] * 5 + [12.0] * 2)  # [N m]
KP, KP_POSTURE, FRICTION, SUBSTEPS = 150.0, 10.0, 0.1, 25


class OscOracle:
    """LIBERO's arm in free space. Poses of the tool are in the base's frame."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_path(str(ROBOTS / "panda_reference.xml"))
        self.model.opt.disableflags &= ~mujoco.mjtDisableBit.mjDSBL_CONSTRAINT.value
        self.model.dof_frictionloss[:] = FRICTION
        self.data = mujoco.MjData(self.model)
        self._site = self.model.site("grip_site").id

    def run(self, home: FloatArray, actions: Sequence[FloatArray]) -> list[Pose]:
        """The tool's pose after each action of shape (6,), starting at rest at `home`, which is also the posture."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = home
        mujoco.mj_forward(self.model, self.data)
        goal, poses = self.tool().quaternion, []
        for action in actions:
            here = self.tool()
            angle = float(np.linalg.norm(action[3:]))
            if angle:
                turn = quaternion_about(action[3:] / angle, 0.5 * angle)
                goal = quaternion_product(turn, here.quaternion)
            self._control(Pose.at(here.position + 0.05 * action[:3], goal), home)
            poses.append(self.tool())
        return poses

    def tool(self) -> Pose:
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, self.data.site_xmat[self._site])
        return Pose(self.data.site_xpos[self._site].copy(), quaternion)

    def _control(self, goal: Pose, home: FloatArray) -> None:
        for _ in range(SUBSTEPS):
            mujoco.mj_forward(self.model, self.data)
            self.data.qfrc_applied[:] = self._torque(goal, home)
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)

    def _torque(self, goal: Pose, home: FloatArray) -> FloatArray:
        model, data, n = self.model, self.data, self.model.nv
        jacobian, mass = np.zeros((6, n)), np.zeros((n, n))
        mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], self._site)
        mujoco.mj_fullM(model, data, mass)
        inverse, here, target = np.linalg.inv(mass), data.site_xmat[self._site].reshape(3, 3), np.empty(9)
        mujoco.mju_quat2Mat(target, goal.quaternion)
        turn = 0.5 * np.cross(here.T, target.reshape(3, 3).T).sum(axis=0)
        velocity = jacobian @ data.qvel
        wish = KP * np.r_[goal.position - data.site_xpos[self._site], turn] - 2 * np.sqrt(KP) * velocity
        mobility = jacobian @ inverse @ jacobian.T
        pull = np.r_[np.linalg.solve(mobility[:3, :3], wish[:3]), np.linalg.solve(mobility[3:, 3:], wish[3:])]
        free = np.eye(n) - jacobian.T @ np.linalg.solve(mobility, jacobian @ inverse)
        posture = mass @ (KP_POSTURE * (home - data.qpos) - 2 * np.sqrt(KP_POSTURE) * data.qvel)
        return np.clip(jacobian.T @ pull + free @ posture + data.qfrc_bias, -TORQUES, TORQUES)
