"""The expert for plug_in and its variants: the left arm holds the socket, the right one pushes the plug in."""

import math

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.objects.aloha.plug_and_socket import FACE, FUNNEL_DEPTH, TIP
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.tasks.aloha.plug_in import DEPTH, IN_HOLE, PlugIn, pin_in_socket
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, Path, level_offset, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import CLEARANCE, TRIES, fixed, guided, in_step, pick, take, tool_for, upright_yaw

PITCH = math.radians(60.0)  # of both tools: the hands and wrist cameras of the two arms stay clear of each other
PLUG_BACK, SOCKET_BACK = 0.004, 0.014  # distance of the grasp from the part's origin, away from the other part [m]
PLUG_HEIGHT, SOCKET_HEIGHT = 0.016, 0.006  # of the tool above the origin, so that the finger tips clear the table [m]
OUTSIDE, ABOVE = 0.09, 0.05  # of the pin from the mouth on the way there, so that it passes the left hand clearly [m]
PRESS = 0.002  # how far the left tool is lowered, so that the settling arm does not lift the socket off the table [m]
STANDOFF, AT_MOUTH = 0.03, 0.006  # between pin and mouth, before and after the pin is lined up with the hole [m]
LINING_UP_S, SETTLING_S = 0.7, 0.1  # for that, and to wait at the mouth [s]
INSIDE = 0.033  # depth to which the pin is pushed [m]
INSERTION_SPEED = 0.2  # as a factor on the usual speed
BACK = 0.1  # way of the tools at the end, along their own axes [m]
WAIT_S = 8.0  # at most, for the other arm [s]


class PlugInExpert(BimanualExpert):
    """Both arms grasp at the same time. The pin follows the axis of the hole, however the socket moves in the hand.

    A push that fails is undone along the axis and repeated. Both arms let go at the same time.
    """

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        assert isinstance(env.task, PlugIn)
        self._clearance = env.task.clearance
        super().__init__(env, noise=noise)

    def reset(self, observation: Observation, seed: int) -> None:
        self._socket_held = self._plugged = False
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        yield from arm.move_joints(self.jitter(self._at_socket()).shifted((0.0, 0.0, CLEARANCE)), opening=1.0)
        arm.pressing = True
        yield from take(arm, "socket", self._at_socket)
        self._socket_held = True
        yield from arm.move_straight(fixed(arm.reference_pose.shifted((0.0, 0.0, -PRESS))), timeout=0.0)
        yield from arm.wait_until(lambda: self._plugged, timeout=2 * WAIT_S)
        yield from self._let_go(arm, "socket")

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from self._plug_in(arm)
        for _ in range(TRIES - 1):
            if FACE - pin_in_socket(self.scene)[0][0] >= DEPTH:
                break
            yield from arm.follow(in_step(arm, self._along_axis(-INSIDE, OUTSIDE)))
            yield from self._plug_in(arm)
        self._plugged = True
        yield from self._let_go(arm, "plug")

    def _plug_in(self, arm: ArmMotion) -> Motion:
        if not arm.holds("plug"):
            above = self.jitter(self._at_plug()).shifted((0.0, 0.0, CLEARANCE))
            yield from pick(arm, "plug", self._at_plug, above=above)
        yield from arm.wait_until(lambda: self._socket_held, timeout=WAIT_S)
        outside = self.jitter(self._on_axis(OUTSIDE)).shifted((0.0, 0.0, ABOVE))
        yield from arm.move_joints(tool_for(arm, "plug", outside), timeout=0.0)
        yield from arm.move_joints(tool_for(arm, "plug", self._on_axis(STANDOFF)))
        arm.pressing = True
        lining_up = guided(arm, "plug", self._along_axis(STANDOFF, AT_MOUTH))
        yield from arm.follow(lining_up, duration=LINING_UP_S, timeout=SETTLING_S)
        yield from arm.follow(in_step(arm, self._along_axis(AT_MOUTH, -INSIDE)), speed=INSERTION_SPEED)

    def _let_go(self, arm: ArmMotion, part: str) -> Motion:
        yield from arm.release(part)
        yield from arm.move_straight(fixed(arm.reference_pose @ Pose.at((-BACK, 0.0, 0.0))))

    def _at_plug(self) -> Pose:
        return _grasp(self.scene.body_pose("plug"), PLUG_BACK, PLUG_HEIGHT)

    def _at_socket(self) -> Pose:
        return _grasp(self.scene.body_pose("socket"), SOCKET_BACK, SOCKET_HEIGHT)

    def _along_axis(self, first: float, last: float) -> Path:
        """The plug's way along the axis of the hole, between two distances of its pin from the mouth [m]."""
        return lambda share: self._on_axis(first + share * (last - first))

    def _on_axis(self, distance: float) -> Pose:
        """Pose of the plug on the present axis of the hole, the end of the pin `distance` [m] outside the mouth.

        Inside, it comes to lie as it will when it is let go, the thick end down as far as the hole lets it hang.
        """
        hanging = float(np.clip((-distance - IN_HOLE) / (INSIDE - IN_HOLE), 0.0, 1.0))
        angle = hanging * self._clearance / (INSIDE - FUNNEL_DEPTH)
        facing = quaternion_product(quaternion_about((0, 0, 1), math.pi), quaternion_about((0, 1, 0), -angle))
        tip = Pose.at((FACE + distance, 0.0, hanging * self._clearance / 2), facing)
        return self.scene.body_pose("socket") @ tip @ Pose.at((-TIP, 0.0, 0.0))


def _grasp(part: Pose, back: float, height: float) -> Pose:
    """The pose of a tool that points along the part's x axis."""
    heading = upright_yaw(part)
    position = part.position - level_offset(heading, back) + np.array([0.0, 0.0, height])
    return Pose(position, tool_orientation(heading, PITCH))
