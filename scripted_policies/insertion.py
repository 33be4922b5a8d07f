"""The expert that inserts a peg into a socket in the air."""

import math

import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.types import FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Goal, Motion, heading_along, offset_along, tool_orientation
from ambidex.scripted_policies.expert import Expert

PITCH = math.radians(65.0)  # nose down: the wrist cameras of the two arms stay clear of each other
CLEARANCE = 0.08  # above a part before grasping [m]
GRASP_HEIGHT = 0.026  # of the tool above the table, so that the tilted finger tips clear it [m]
GRIP_BACK = 0.03  # grip behind a part's centre, away from the other part [m]
MOUTH = (0.0, 0.5, 0.2)  # where the socket's mouth is held [m]
HALF_LENGTH = 0.06  # of both parts [m]
STANDOFF = 0.03  # between peg and mouth before going in [m]
DEPTH = 0.02  # of the pin's face behind the mouth [m]
PRESS = 0.002  # how far behind the pin's face the peg is sent, so that it rests on it [m]
TRIES = 3


class InsertionExpert(Expert):
    """Both arms grasp from above and lift; the right one follows the socket's axis wherever it is held."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._level: dict[str, FloatArray] = {}
        self._presented = False
        super().reset(observation, seed)
        self._mouth = self.jitter(Pose.at(MOUTH)).position

    def left_script(self, arm: ArmMotion) -> Motion:
        yield from self._pick(arm, "socket", forward=0.0)
        yield from arm.travel(self._bring(arm, "socket", lambda: self._in_front(-HALF_LENGTH, "socket"))())
        self._presented = True

    def right_script(self, arm: ArmMotion) -> Motion:
        outside, inside = HALF_LENGTH + STANDOFF, HALF_LENGTH - DEPTH - PRESS
        yield from self._pick(arm, "peg", forward=math.pi)
        yield from arm.travel(self._bring(arm, "peg", lambda: self._in_front(outside, "peg"))())
        yield from arm.wait(lambda: self._presented, timeout=4.0)
        yield from arm.move(self._bring(arm, "peg", lambda: self._on_axis(outside)), slowly=0.5)
        yield from arm.move(self._bring(arm, "peg", lambda: self._on_axis(inside)), slowly=0.2)

    def _pick(self, arm: ArmMotion, part: str, forward: float) -> Motion:
        for _ in range(TRIES):
            heading = heading_along(self.scene.body_pose(part), forward, math.pi)
            above = self.jitter(self._grip(part, heading)).shifted((0, 0, CLEARANCE))
            yield from arm.travel(above, opening=1.0)
            yield from arm.travel(self._grip(part, heading))
            self._level[part] = _turned(self.scene.body_pose(part), forward - heading)
            yield from arm.grasp(part)
            yield from arm.travel(arm.reference.shifted((0, 0, CLEARANCE)), patience=0.0)
            if arm.holds(part):
                return
            yield from arm.release(part)

    def _grip(self, part: str, heading: float) -> Pose:
        position = self.scene.body_pose(part).position - offset_along(heading, GRIP_BACK)
        position[2] = GRASP_HEIGHT
        return Pose(position, tool_orientation(heading, PITCH))

    def _bring(self, arm: ArmMotion, part: str, target: Goal) -> Goal:
        """The tool pose that brings a part to a target, however it sits in the gripper."""
        return lambda: target() @ self.scene.body_pose(part).inverse() @ arm.tool()

    def _in_front(self, distance: float, part: str) -> Pose:
        """A part level on the line through the mouth, its centre `distance` [m] to the right of it."""
        return Pose(self._mouth + np.array([distance, 0.0, 0.0]), self._level[part])

    def _on_axis(self, distance: float) -> Pose:
        """The peg on the axis of the socket as it is held now, its centre `distance` [m] outside the mouth."""
        socket = self.scene.body_pose("socket")
        axis = socket.axis(0)
        outward = axis if axis[0] > 0 else -axis
        inverse = Pose.at((0, 0, 0), self._level["socket"]).inverse().quaternion
        orientation = quaternion_product(socket.quaternion, inverse, self._level["peg"])
        return Pose(socket.position + (HALF_LENGTH + distance) * outward, orientation)


def _turned(pose: Pose, yaw: float) -> FloatArray:
    """The orientation of a body lying flat, turned about the vertical by `yaw` [rad]."""
    axis = pose.axis(0)
    return quaternion_about((0, 0, 1), math.atan2(axis[1], axis[0]) + yaw)
