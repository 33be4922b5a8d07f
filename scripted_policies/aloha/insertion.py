"""The expert for ALOHA's insertion task: both arms grasp a part, and the right one inserts the peg into the socket."""

import math

import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.types import FloatArray, Observation
from ambidex.scripted_policies.arm_motion import (
    ArmMotion,
    Motion,
    Path,
    grasp_heading,
    interpolate,
    level_offset,
    tool_orientation,
)
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import tool_for

PITCH = math.radians(65.0)  # of both tools while grasping: the wrist cameras of the two arms stay clear of each other
CLEARANCE = 0.08  # height above a part before grasping it [m]
GRASP_HEIGHT = 0.026  # of the tool above the table, so that the tilted finger tips clear it [m]
GRASP_BACK = 0.03  # distance of the grasp from a part's centre, away from the other part [m]
MOUTH = (0.0, 0.5, 0.2)  # position of the socket's mouth during the insertion [m]
HALF_LENGTH = 0.06  # of both parts [m]
STANDOFF = 0.03  # between peg and mouth before the insertion [m]
DEPTH = 0.02  # of the pin's face behind the mouth [m]
PRESS = 0.004  # how far beyond the pin's face the peg is commanded, so that it presses on it [m]
INSERTION_SPEED = 0.14  # as a factor on the usual speed
ALIGNED = 0.4  # share of the insertion after which the peg moves on the axis: 8 mm before the mouth
TRIES = 3


class InsertionExpert(BimanualExpert):
    """Both arms grasp from above and lift; the right one follows the axis of the socket as the left one holds it.

    It does not stop before the mouth, where a policy that learns from it could not tell how long it has waited already.
    At the end the peg is pressed on the pin: a policy that learns this also gets there if it stops a little short.
    """

    def reset(self, observation: Observation, seed: int) -> None:
        self._level: dict[str, FloatArray] = {}
        self._presented = False
        super().reset(observation, seed)
        self._mouth = self.jitter(Pose.at(MOUTH)).position

    def left_script(self, arm: ArmMotion) -> Motion:
        yield from self._pick(arm, "socket", forward=0.0)
        yield from arm.move_joints(tool_for(arm, "socket", self._in_front(-HALF_LENGTH, "socket")))
        self._presented = True

    def right_script(self, arm: ArmMotion) -> Motion:
        outside, inside = HALF_LENGTH + STANDOFF, HALF_LENGTH - DEPTH - PRESS
        yield from self._pick(arm, "peg", forward=math.pi)
        yield from arm.move_joints(tool_for(arm, "peg", self._in_front(outside, "peg")))
        yield from arm.wait_until(lambda: self._presented, timeout=4.0)
        self.left.pressing = self.right.pressing = True
        yield from arm.follow(self._inwards(arm, outside, inside), speed=INSERTION_SPEED)

    def _pick(self, arm: ArmMotion, part: str, forward: float) -> Motion:
        for _ in range(TRIES):
            heading = grasp_heading(self.scene.body_pose(part), forward, math.pi)
            above = self.jitter(self._grasp_pose(part, heading)).shifted((0, 0, CLEARANCE))
            yield from arm.move_joints(above, opening=1.0)
            yield from arm.move_joints(self._grasp_pose(part, heading))
            self._level[part] = _level_orientation(self.scene.body_pose(part), forward - heading)
            yield from arm.grasp(part)
            yield from arm.move_joints(arm.reference_pose.shifted((0, 0, CLEARANCE)), timeout=0.0)
            if arm.holds(part):
                return
            yield from arm.release(part)

    def _grasp_pose(self, part: str, heading: float) -> Pose:
        position = self.scene.body_pose(part).position - level_offset(heading, GRASP_BACK)
        position[2] = GRASP_HEIGHT
        return Pose(position, tool_orientation(heading, PITCH))

    def _inwards(self, arm: ArmMotion, outside: float, inside: float) -> Path:
        """The tool's way from where it is to the axis of the socket, and along it, given distances of the peg [m]."""
        start = arm.reference_pose

        def at(share: float) -> Pose:
            distance = outside + share * (inside - outside)
            on_axis = tool_for(arm, "peg", self._on_axis(distance))
            aligned = min(1.0, share / ALIGNED)
            return interpolate(start, on_axis, aligned**2 * (3.0 - 2.0 * aligned))

        return at

    def _in_front(self, distance: float, part: str) -> Pose:
        """Pose of a part held level on the line through the mouth, its centre `distance` [m] to the right of it."""
        return Pose(self._mouth + np.array([distance, 0.0, 0.0]), self._level[part])

    def _on_axis(self, distance: float) -> Pose:
        """Pose of the peg on the present axis of the socket, its centre `distance` [m] outside the mouth."""
        socket = self.scene.body_pose("socket")
        axis = socket.axis(0)
        outward = axis if axis[0] > 0 else -axis
        inverse = Pose.at((0, 0, 0), self._level["socket"]).inverse().quaternion
        orientation = quaternion_product(socket.quaternion, inverse, self._level["peg"])
        return Pose(socket.position + (HALF_LENGTH + distance) * outward, orientation)


def _level_orientation(pose: Pose, yaw: float) -> FloatArray:
    """Quaternion (wxyz) of a body that lies flat, turned about the vertical by `yaw` [rad]."""
    axis = pose.axis(0)
    return quaternion_about((0, 0, 1), math.atan2(axis[1], axis[0]) + yaw)
