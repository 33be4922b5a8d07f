"""The servo reaches its target on an arm that answers as LIBERO's does, smoothly."""

import numpy as np
import pytest

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_between
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import DOWN, both_ways, pointing
from ambidex.scripted_policies.libero.hand import SLEW, HandServo


class LaggingHand:
    """A hand that moves 1.2 cm and turns 0.12 rad per step of full action, after a lag of one step."""

    def __init__(self) -> None:
        self.pose = Pose.at((0, 0, 0), pointing(DOWN, (0, 1, 0)))
        self._rate = np.zeros(6)

    def step(self, twist: FloatArray) -> None:
        self._rate = 0.5 * self._rate + 0.5 * twist * [0.012, 0.012, 0.012, 0.12, 0.12, 0.12]
        angle = float(np.linalg.norm(self._rate[3:]))
        turn = quaternion_about(self._rate[3:] / angle, angle) if angle > 0 else np.array([1.0, 0, 0, 0])
        self.pose = Pose(self.pose.position + self._rate[:3], quaternion_product(turn, self.pose.quaternion))


@pytest.mark.parametrize("yaw", [0.0, 1.2, -1.5])
def test_it_arrives_smoothly_and_does_not_overshoot(yaw: float) -> None:
    hand, servo = LaggingHand(), HandServo()
    goal = Pose.at((0.2, -0.1, 0.05), quaternion_product(quaternion_about((0, 0, 1), yaw), hand.pose.quaternion))
    last, furthest = np.zeros(6), 0.0
    for _ in range(50):
        twist = servo.twist(hand.pose, goal)
        assert np.abs(twist).max() <= 1.0
        assert np.abs(twist - last).max() <= SLEW + 1e-9
        last = twist
        hand.step(twist)
        furthest = max(furthest, hand.pose.position[0])
    assert np.linalg.norm(hand.pose.position - goal.position) < 0.002
    assert np.linalg.norm(rotation_between(hand.pose.quaternion, goal.quaternion)) < 0.02
    assert furthest < 0.205


def test_it_goes_straight() -> None:
    twist = np.zeros(6)
    servo = HandServo()
    for _ in range(5):
        twist = servo.twist(Pose.at((0, 0, 0)), Pose.at((0.4, 0.2, 0.0)))
    assert np.allclose(twist[:3], (1.0, 0.5, 0.0))


def test_a_hand_that_points_down_does() -> None:
    tool = Pose.at((0, 0, 0), pointing(DOWN, (1, 1, 0.3)))
    assert np.allclose(tool.axis(2), DOWN)
    assert np.allclose(tool.axis(1), np.array([1, 1, 0]) / np.sqrt(2))
    same, exchanged = both_ways(tool)
    assert same is tool
    assert np.allclose(exchanged.axis(1), -tool.axis(1))
    assert np.allclose(exchanged.axis(2), tool.axis(2))
    with pytest.raises(ValueError, match="along the direction"):
        pointing(DOWN, (0, 0, 2))
