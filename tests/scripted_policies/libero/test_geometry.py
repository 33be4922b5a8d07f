"""Orientations of the hand, stances of objects, and poses on a line."""

import numpy as np
import pytest

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_matrix
from ambidex.scripted_policies.libero.geometry import (
    DOWN,
    Stance,
    both_finger_orders,
    box_size,
    hand_orientation,
    initial_stance,
    poses_between,
    stance_of,
)


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


@pytest.mark.parametrize("up", range(6))
def test_a_stance_is_found_in_its_orientation_and_in_one_tilted_a_little(up: int) -> None:
    stance = Stance(up, 0.7)
    vertical = rotation_matrix(stance.quaternion)[2]
    np.testing.assert_allclose(vertical[up % 3], 1.0 if up < 3 else -1.0)
    tilted = quaternion_product(quaternion_about((1, 2, 0), 0.2), stance.quaternion)
    for quaternion, error in ((stance.quaternion, 1e-12), (tilted, 0.05)):
        found = stance_of(quaternion)
        assert found.up == up
        assert abs(found.yaw - stance.yaw) < error
    np.testing.assert_allclose(stance.turned(0.3).quaternion, Stance(up, 1.0).quaternion)


@pytest.mark.parametrize(("category", "up"), [("alphabet_soup", 1), ("ketchup", 1), ("wine_bottle", 2), ("butter", 2)])
def test_cans_and_sauce_bottles_stand_on_their_y_axis(category: str, up: int) -> None:
    assert initial_stance(category).up == up
    size = object_properties(category).size
    assert box_size(category, up)[2] == pytest.approx(size[up])
    assert sorted(box_size(category, up)) == pytest.approx(sorted(size))
