"""The servo reaches its target smoothly, on an arm that responds as LIBERO's does."""

import numpy as np
import pytest

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_between
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import DOWN, hand_orientation
from ambidex.scripted_policies.libero.hand import MAX_CHANGE, HandServo


class LaggingHand:
    """A hand that moves 1.2 cm and turns 0.12 rad per step of full action, after a lag of one step."""

    def __init__(self) -> None:
        self.pose = Pose.at((0, 0, 0), hand_orientation(DOWN, (0, 1, 0)))
        self._rate = np.zeros(6)

    def step(self, twist: FloatArray) -> None:
        self._rate = 0.5 * self._rate + 0.5 * twist * [0.012, 0.012, 0.012, 0.12, 0.12, 0.12]
        angle = float(np.linalg.norm(self._rate[3:]))
        turn = quaternion_about(self._rate[3:] / angle, angle) if angle > 0 else np.array([1.0, 0, 0, 0])
        self.pose = Pose(self.pose.position + self._rate[:3], quaternion_product(turn, self.pose.quaternion))


@pytest.mark.parametrize("yaw", [0.0, 1.2, -1.5])
def test_the_hand_arrives_smoothly_without_overshoot(yaw: float) -> None:
    hand, servo = LaggingHand(), HandServo()
    goal = Pose.at((0.2, -0.1, 0.05), quaternion_product(quaternion_about((0, 0, 1), yaw), hand.pose.quaternion))
    last_twist, furthest = np.zeros(6), 0.0
    for _ in range(50):
        twist = servo.twist(hand.pose, goal)
        assert np.abs(twist).max() <= 1.0
        assert np.abs(twist - last_twist).max() <= MAX_CHANGE + 1e-9
        last_twist = twist
        hand.step(twist)
        furthest = max(furthest, hand.pose.position[0])
    assert np.linalg.norm(hand.pose.position - goal.position) < 0.002
    assert np.linalg.norm(rotation_between(hand.pose.quaternion, goal.quaternion)) < 0.02
    assert furthest < 0.205


def test_the_hand_moves_on_a_straight_line() -> None:
    twist = np.zeros(6)
    servo = HandServo()
    for _ in range(5):
        twist = servo.twist(Pose.at((0, 0, 0)), Pose.at((0.4, 0.2, 0.0)))
    assert np.allclose(twist[:3], (1.0, 0.5, 0.0))
