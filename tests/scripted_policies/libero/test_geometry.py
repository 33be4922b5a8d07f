"""Orientations of the hand and poses on a line."""

import numpy as np
import pytest

from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.scripted_policies.libero.geometry import DOWN, both_finger_orders, hand_orientation, poses_between


def test_a_hand_points_down_and_closes_in_the_level_direction_given() -> None:
    tool = Pose.at((0, 0, 0), hand_orientation(DOWN, (1, 1, 0.3)))
    np.testing.assert_allclose(tool.axis(2), DOWN, atol=1e-12)
    np.testing.assert_allclose(tool.axis(1), np.array([1, 1, 0]) / np.sqrt(2), atol=1e-12)


def test_exchanged_fingers_point_and_close_along_the_same_lines() -> None:
    tool = Pose.at((0, 0, 0), hand_orientation(DOWN, (1, 1, 0.3)))
    same, exchanged = both_finger_orders(tool)
    assert same is tool
    np.testing.assert_allclose(exchanged.axis(1), -tool.axis(1), atol=1e-12)
    np.testing.assert_allclose(exchanged.axis(2), tool.axis(2), atol=1e-12)


def test_a_hand_that_closes_along_its_own_direction_raises() -> None:
    with pytest.raises(ValueError, match="cannot close along"):
        hand_orientation(DOWN, (0, 0, 2))


def test_poses_between_exclude_the_start_and_include_the_end() -> None:
    start = Pose.at((0.1, 0.2, 0.3), quaternion_about((0, 0, 1), 0.5))
    end = Pose.at((0.4, -0.2, 0.6), quaternion_about((0, 1, 0), -1.0))
    poses = poses_between(start, end, 3)
    np.testing.assert_allclose(poses[-1].position, end.position)
    np.testing.assert_allclose(abs(np.dot(poses[-1].quaternion, end.quaternion)), 1.0)
    np.testing.assert_allclose(poses[0].position, start.position + (end.position - start.position) / 3)
