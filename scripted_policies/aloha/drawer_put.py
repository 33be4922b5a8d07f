"""The expert for drawer_put: the left arm holds the drawer open, the right one puts the carton into it."""

import math

import numpy as np

from ambidex.envs.objects.aloha.drawer_cabinet import CARTON, HANDLE, INSIDE_LOW
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.aloha.drawer_put import PULLED, SHUT, opening
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import (
    along_joint,
    apart,
    behind,
    fixed,
    lying,
    pick,
    place,
    tool_for,
    upright_yaw,
)

PITCH = math.radians(57.0)  # of the left tool: its wrist camera stays clear of that of the right arm
AT_HANDLE = 0.5  # opening of the left gripper, so that a finger fits between bar and drawer
RETREAT = 0.08  # of the left tool from the handle, backwards [m]
OPENED = 0.088  # how far the drawer is held open [m]
PULLING_SPEED = 0.6  # as a factor on the usual speed
ACROSS = math.pi / 2  # heading of the right tool: its fingers close along the front of the drawer [rad]
PICKING = math.radians(75.0)  # preferred heading for the grasp: the right wrist camera is away from the left one
SQUARE = math.pi / 2  # angle after which the carton looks the same [rad]
GRASP_HEIGHT = 0.012  # of the right tool above the carton's middle [m]
PLACE = (0.03, -0.124, INSIDE_LOW[2] + CARTON[2])  # of the carton, in the frame of the cabinet [m]
NARROW = 0.7  # opening of the right gripper inside the drawer
ABOVE, WAITING = 0.03, 0.1  # heights above the place from where the carton is lowered, and where it waits [m]
ASIDE = (0.2, 0.47, 0.2)  # where the right tool is while the drawer is shut [m]
CLEAR = 0.14  # distance between the tools at which the drawer is shut [m]
WAIT_S = 8.0  # at most, for the other arm [s]
TRIES = 3


class DrawerPutExpert(BimanualExpert):
    """Left: pull the drawer open and hold it. Right: pick the carton up meanwhile, and put it in. Left: shut it."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._stored = False
        self._heading = ACROSS
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        for _ in range(TRIES):
            yield from self._pull(arm)
            if self._is_open():
                break
            yield from arm.release("drawer", opening=AT_HANDLE)
        yield from arm.wait_until(lambda: self._stored and apart((self.left, self.right), CLEAR), timeout=2 * WAIT_S)
        yield from arm.follow(along_joint(arm, "drawer_joint", 0.0), speed=PULLING_SPEED)
        yield from arm.wait_until(lambda: opening(self.scene) < SHUT / 2, timeout=1.0)
        yield from arm.release("drawer", opening=AT_HANDLE)
        yield from arm.move_straight(fixed(behind(arm.reference_pose, RETREAT)))

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from pick(arm, "carton", self._grasp)
        yield from arm.move_joints(tool_for(arm, "carton", self._in_drawer().shifted((0.0, 0.0, WAITING))))
        yield from arm.wait_until(self._is_open, timeout=WAIT_S)
        target = self._in_drawer()
        yield from place(arm, "carton", fixed(target), above=ABOVE, opening=NARROW)
        self._stored = True
        yield from arm.move_joints(Pose(np.array(ASIDE), tool_orientation(math.pi, PITCH)), opening=0.5)

    def _pull(self, arm: ArmMotion) -> Motion:
        yield from arm.move_joints(self.jitter(behind(self._at_handle(), RETREAT)), opening=AT_HANDLE)
        yield from arm.move_straight(self._at_handle)
        yield from arm.grasp("drawer")
        yield from arm.follow(along_joint(arm, "drawer_joint", OPENED), speed=PULLING_SPEED)

    def _is_open(self) -> bool:
        return opening(self.scene) >= PULLED and self.left.holds("drawer") and not self.left.moving

    def _at_handle(self) -> Pose:
        drawer = self.scene.body_pose("drawer")
        tool = tool_orientation(upright_yaw(drawer), PITCH)
        return Pose((drawer @ Pose.at(HANDLE)).position, tool)

    def _grasp(self) -> Pose:
        carton = self.scene.body_pose("carton")
        self._heading = grasp_heading(carton, PICKING, SQUARE)
        return Pose(carton.position, tool_orientation(self._heading, math.pi / 2)).shifted((0.0, 0.0, GRASP_HEIGHT))

    def _in_drawer(self) -> Pose:
        """Pose of the carton when it stands in the open drawer, its sides along the drawer's."""
        cabinet, carton = self.scene.body_pose("cabinet"), self.scene.body_pose("carton")
        turn = ACROSS + upright_yaw(cabinet) - self._heading
        place = (cabinet @ Pose.at(PLACE)).position
        return lying(place, upright_yaw(carton) + turn, carton)
