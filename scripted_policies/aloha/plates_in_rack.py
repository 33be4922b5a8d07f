"""The expert for plates_in_rack: both arms do the same with plates and slots of their own."""

import math

import numpy as np

from ambidex.envs.objects.aloha.plate_rack import APOTHEM, EIGHTH, slot_middle
from ambidex.envs.simulation.pose import Pose, quaternion_product
from ambidex.envs.tasks.aloha.plates_in_rack import PLATES
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import (
    ArmMotion,
    Motion,
    grasp_heading,
    level_offset,
    tool_orientation,
)
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import behind, fixed, pick, place, upright_yaw

FORWARD = {"left": 0.0, "right": math.pi}  # heading of the arms [rad]
ROLL = {"left": math.pi / 2, "right": -math.pi / 2}  # of a tool whose fingers close on a lying plate [rad]
SLOT = {"left": 0, "right": 3}  # of the rack, in which an arm puts its plate
GRASP = APOTHEM - 0.002  # distance of the tool from a plate's middle, holding its rim [m]
APPROACH = 0.045  # way of the fingers over the rim [m]
HOVER = 0.06  # height above the plate at which the tool comes, so that no finger sweeps it off [m]
LIFT = 0.06  # [m]
OUTSIDE = 0.11  # distance between a plate and its slot, along the slot, where it is turned upright [m]
TURNING_SPEED = 0.5  # as a factor on the usual speed: the way leads past the base, where joints turn fast
ABOVE = 0.07  # height above the slot from which a plate is lowered [m]
RELEASED = 0.35  # opening of a gripper beside a plate in the rack
WAIT_S = 6.0  # at most, for the other arm [s]
RETREAT, RISE = 0.055, 0.03  # of a tool from the rack, back and up [m]


class PlatesInRackExpert(BimanualExpert):
    """Take the plate by its rim, turn it upright beside the rack, move it above the slot, lower it, let go."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._upright: set[str] = set()
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        return self._script(arm)

    def right_script(self, arm: ArmMotion) -> Motion:
        return self._script(arm)

    def _script(self, arm: ArmMotion) -> Motion:
        side = arm.arm.name
        plate = f"{side}_plate"
        approach = behind(self._at_rim(arm), APPROACH)
        yield from arm.move_joints(self.jitter(approach.shifted((0.0, 0.0, HOVER))), opening=1.0, timeout=0.0)
        yield from pick(arm, plate, lambda: self._at_rim(arm), above=approach, clearance=LIFT)
        forward = FORWARD[side] + upright_yaw(self.scene.body_pose("rack"))
        target = self._in_slot(arm, forward)
        outside = target.shifted(level_offset(forward, -OUTSIDE)).shifted((0.0, 0.0, ABOVE))
        # Straight, since joint paths would lead both plates through the middle.
        yield from arm.move_straight(fixed(self.jitter(self._tool(outside, forward))), speed=TURNING_SPEED, timeout=0.0)
        self._upright.add(plate)
        # A plate that is still being turned would reach over the slots.
        yield from arm.wait_until(lambda: len(self._upright) == len(PLATES), timeout=WAIT_S)
        retreat = [*level_offset(forward, -RETREAT)[:2], RISE]
        yield from place(arm, plate, fixed(target), above=ABOVE, opening=RELEASED, retreat=retreat)

    def _at_rim(self, arm: ArmMotion) -> Pose:
        """The tool level at the side of the plate that faces the arm."""
        plate = self.scene.body_pose(f"{arm.arm.name}_plate")
        away = plate.position - np.array(arm.arm.base.position)
        heading = grasp_heading(plate, math.atan2(away[1], away[0]), EIGHTH)
        tool = tool_orientation(heading, 0.0, ROLL[arm.arm.name])
        return Pose(plate.position - level_offset(heading, GRASP), tool)

    def _tool(self, plate: Pose, forward: float) -> Pose:
        """The tool that holds an upright plate at the rim."""
        return Pose(plate.position - level_offset(forward, GRASP), tool_orientation(forward, 0.0))

    def _in_slot(self, arm: ArmMotion, forward: float) -> Pose:
        """Pose of the plate in its slot, held as it is held now, by a level tool."""
        plate = self.scene.body_pose(f"{arm.arm.name}_plate")
        middle = (self.scene.body_pose("rack") @ Pose.at(slot_middle(SLOT[arm.arm.name]))).position
        held = arm.tool_pose.inverse() @ plate
        return Pose(middle, quaternion_product(tool_orientation(forward, 0.0), held.quaternion))
