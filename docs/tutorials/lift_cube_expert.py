"""The expert of the task lift_cube. Copy it to scripted_policies/aloha/lift_cube.py."""

import math

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert


class LiftCubeExpert(BimanualExpert):
    """Right: grasp from above, lift, hold. Left: stay at home."""

    def left_script(self, arm: ArmMotion) -> Motion:
        return iter(())

    def right_script(self, arm: ArmMotion) -> Motion:
        cube = self.scene.body_pose("cube")
        heading = grasp_heading(cube, preferred=math.pi, symmetry=math.pi / 2)
        grasp = Pose(cube.position, tool_orientation(heading, pitch=math.pi / 2)).shifted((0, 0, 0.006))
        yield from arm.move_joints(self.jitter(grasp).shifted((0, 0, 0.08)), opening=1.0)
        yield from arm.move_joints(grasp)
        yield from arm.grasp("cube")
        yield from arm.move_joints(arm.reference_pose.shifted((0, 0, 0.13)))
