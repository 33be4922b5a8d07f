"""Grasps of objects as they stand or lie."""

import numpy as np
import pytest

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.geometry import DOWN, Stance, box_corners, initial_stance
from ambidex.scripted_policies.libero.planning.grasps import MAX_WIDTH, top_grasps

LYING = 2  # z up


def tools_from_above(category: str, up: int) -> list[Pose]:
    """Vertical grasps of an object at the origin that stands on an axis."""
    stands = Pose.at((0.0, 0.0, 0.0), Stance(up, 0.0).quaternion)
    tools = [stands @ grasp.tool for grasp in top_grasps(category, up)]
    return [tool for tool in tools if np.allclose(tool.axis(2), DOWN)]


@pytest.mark.parametrize("lies", [False, True], ids=["standing", "lying"])
@pytest.mark.parametrize("category", ["ketchup", "milk", "alphabet_soup", "salad_dressing"])
def test_the_fingers_close_on_the_upper_part_across_the_object(category: str, *, lies: bool) -> None:
    up = LYING if lies else initial_stance(category).up
    corners = box_corners(category, Stance(up, 0.0).quaternion)
    middle, top = corners.mean(axis=0), float(corners[:, 2].max())
    tools = tools_from_above(category, up)
    assert tools
    for tool in tools:
        assert middle[2] - 1e-9 <= tool.position[2] < top
        across = corners @ tool.axis(1)
        if category != "alphabet_soup" or lies:  # round when it stands
            assert np.ptp(across) <= MAX_WIDTH + 1e-9
        assert across.min() - 1e-9 <= tool.position @ tool.axis(1) <= across.max() + 1e-9


def test_the_default_is_the_initial_stance() -> None:
    assert list(map(str, top_grasps("milk"))) == list(map(str, top_grasps("milk", initial_stance("milk").up)))
