"""Hand-placed states: objects in grippers or in the air, fingers touching or apart."""

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose

TOUCH = 0.0001  # how deep a placed finger presses [m]


class Placer:
    """Places objects and fingers without stepping the physics."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.scene = env.scene
        self._kinematics = {arm.name: Kinematics(env.scene.robot, arm) for arm in env.scene.robot.arms}
        env.reset(0)

    def tool(self, arm: str) -> Pose:
        return self.scene.site_pose(f"vx300s_{arm}/tcp")

    def reach(self, arm: str, tool: Pose) -> None:
        """Move an arm's tool to a pose."""
        parts = next(a for a in self.scene.robot.arms if a.name == arm)
        q = self._kinematics[arm].solve(tool, np.array(parts.home), [np.array(p) for p in parts.ik_seeds])
        assert q is not None
        for joint, angle in zip(parts.joints, q, strict=True):
            self.scene.data.joint(joint).qpos = angle

    def fingers(self, arm: str, gap: float, *, only: str = "both") -> None:
        """Finger pads `gap` [m] apart; `only` "left" or "right" leaves the other finger wide open."""
        for finger, sign in (("left", 1.0), ("right", -1.0)):
            half = gap / 2 - TOUCH if only in ("both", finger) else 0.036
            self.scene.data.joint(f"vx300s_{arm}/{finger}_finger").qpos = sign * (0.021 + half)

    def prop(self, body: str, pose: Pose) -> None:
        self.scene.place(body, pose)

    def in_gripper(self, arm: str, body: str, width: float, *, only: str = "both", along: float = 0.0) -> None:
        """An object between the fingers, its x axis along the tool's, shifted forward by `along` [m]."""
        self.prop(body, self.tool(arm) @ Pose.at((along, 0.0, 0.0)))
        self.fingers(arm, width, only=only)

    def stage(self) -> int:
        self.scene.refresh()
        return self.env.stage()

    def checks(self) -> dict[str, bool]:
        self.scene.refresh()
        return self.env.task.checks(self.scene)

    def hold_still(self, steps: int) -> bool:
        """Whether success holds while the arms rest and the fingers keep squeezing."""
        action = self.env.observe().qpos.astype(np.float32)
        action[[6, 13]] -= 0.1
        successes = [self.env.step(action).success for _ in range(steps)]
        return all(successes)
