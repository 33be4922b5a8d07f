"""The expert for stack_both: each arm takes the cubes of its side, and they take turns at the stack."""

import math

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.stack_both import HALF_EDGE, StackBoth
from ambidex.envs.types import FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import CLEARANCE, pick, place, upright_yaw

FORWARD = {"left": 0.0, "right": math.pi}  # heading of the arms [rad]
SIDES = {"red": "right", "blue": "left"}  # which arm takes a cube; the green one is taken by that of the base
GRASP_HEIGHT = 0.012  # of the tool above a cube's centre, so that the finger tips clear the cube below [m]
BESIDE = 0.14  # between the stack and the green cube [m]
ASIDE = 0.2  # distance from the middle line at which an arm waits for its turn [m]
WAIT_S = 14.0  # at most, for the other arm [s]
SQUARE = math.pi / 2  # angle after which a cube looks the same [rad]


class StackBothExpert(BimanualExpert):
    """Both arms pick at the same time. A cube is brought to the stack when the one below it stands and is clear."""

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        assert isinstance(env.task, StackBoth)
        self._order = env.task.order
        super().__init__(env, noise=noise)

    def reset(self, observation: Observation, seed: int) -> None:
        base = self._order[0]
        first = SIDES.get(base, "right")
        self._arm_of = {colour: SIDES.get(colour, first) for colour in self._order}
        self._placed = int(base == "green")  # which stands in the middle
        self._site = self._choose_site()
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        return self._script(arm)

    def right_script(self, arm: ArmMotion) -> Motion:
        return self._script(arm)

    def _script(self, arm: ArmMotion) -> Motion:
        for turn, colour in enumerate(self._order):
            if turn >= self._placed and self._arm_of[colour] == arm.arm.name:
                yield from self._stack(arm, turn, colour)

    def _stack(self, arm: ArmMotion, turn: int, colour: str) -> Motion:
        def is_turn() -> bool:
            return self._placed >= turn

        if colour == "green":  # in the middle, where the other arm may be at the stack
            yield from arm.wait_until(is_turn, timeout=WAIT_S)
        yield from pick(arm, colour, lambda: self._grasp(arm, colour))
        if not is_turn():
            yield from arm.move_joints(self._waiting(arm))
            yield from arm.wait_until(is_turn, timeout=WAIT_S)
        yaw = self._placing_yaw(arm, colour, turn)
        yield from place(arm, colour, lambda: self._target(turn, yaw))
        yield from arm.move_joints(self._waiting(arm))
        self._placed += 1

    def _choose_site(self) -> FloatArray:
        """Where the base is to stand (2,) [m]: clear of the green cube, unless that is the base."""
        green = self.scene.body_pose("green").position
        if self._order[0] == "green":
            return green[:2]
        return np.array([0.0, green[1] + (BESIDE if green[1] < 0.5 else -BESIDE)])

    def _grasp(self, arm: ArmMotion, colour: str) -> Pose:
        pose = self.scene.body_pose(colour)
        heading = grasp_heading(pose, FORWARD[arm.arm.name], SQUARE)
        return Pose(pose.position, tool_orientation(heading, math.pi / 2)).shifted((0.0, 0.0, GRASP_HEIGHT))

    def _waiting(self, arm: ArmMotion) -> Pose:
        """Above the arm's own side."""
        x = ASIDE if arm.arm.name == "right" else -ASIDE
        return Pose(np.array([x, 0.5, 0.12 + CLEARANCE]), tool_orientation(FORWARD[arm.arm.name], math.pi / 2))

    def _placing_yaw(self, arm: ArmMotion, colour: str, turn: int) -> float:
        """Yaw of a cube on the stack [rad]: with the edges of the base, the tool pointing forward as well as may be."""
        tool, cube = arm.tool_pose, upright_yaw(self.scene.body_pose(colour))
        side = tool.axis(1)  # level when the tool points down
        heading = math.atan2(side[1], side[0]) - SQUARE
        forward = cube + FORWARD[arm.arm.name] - heading
        if turn == 0:
            return forward
        base = upright_yaw(self.scene.body_pose(self._order[0]))
        return forward + (base - forward + SQUARE / 2) % SQUARE - SQUARE / 2

    def _target(self, turn: int, yaw: float) -> Pose:
        below = self.scene.body_pose(self._order[turn - 1]).position if turn else np.array([*self._site, -HALF_EDGE])
        return Pose(below + np.array([0.0, 0.0, 2 * HALF_EDGE]), quaternion_about((0, 0, 1), yaw))
