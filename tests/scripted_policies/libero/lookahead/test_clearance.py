"""Boxes around geoms: where they are, and how far above each other."""

import mujoco
import numpy as np
import pytest

from ambidex.scripted_policies.libero.lookahead.clearance import GeomBoxes

MODEL = """<mujoco><worldbody>
<geom type="box" size=".1 .2 .3" pos="1 2 3" euler="0 0 90"/><geom type="plane" size="1 1 1"/>
</worldbody></mujoco>"""

Corners = tuple[tuple[float, float, float], tuple[float, float, float]]


def boxes(*corners: Corners) -> GeomBoxes:
    return GeomBoxes(low=np.array([low for low, _ in corners]), high=np.array([high for _, high in corners]))


def test_boxes_around_a_rotated_geom_and_a_plane() -> None:
    model = mujoco.MjModel.from_xml_string(MODEL)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    found = GeomBoxes.around(model, data, np.array([0, 1]))
    np.testing.assert_allclose((found.low[0], found.high[0]), ((0.8, 1.9, 2.7), (1.2, 2.1, 3.3)))
    assert found.high[1, 2] == 0.0
    assert (found.low[1] < -1e6).all()


@pytest.mark.parametrize(
    ("other", "distance"),
    [
        (((0.0, 0.0, 0.0), (1.0, 1.0, 0.4)), 0.6),
        (((0.0, 0.0, 0.0), (1.0, 1.0, 1.2)), 0.0),
        (((2.0, 0.0, 0.0), (3.0, 1.0, 0.4)), np.inf),
        (((0.0, 0.0, 3.0), (1.0, 1.0, 4.0)), np.inf),
    ],
    ids=["below", "overlapping", "beside", "above"],
)
def test_the_distance_above_another_box(other: Corners, distance: float) -> None:
    box = boxes(((0.2, 0.2, 1.0), (0.8, 0.8, 2.0)))
    assert box.distance_above(boxes(other)) == pytest.approx(distance)


def test_each_box_of_several_counts_for_itself() -> None:
    table_leg_and_top = boxes(((0.0, 0.0, 0.0), (0.1, 0.1, 1.0)), ((0.0, 0.0, 1.0), (1.0, 1.0, 1.1)))
    block = boxes(((0.5, 0.5, 0.0), (0.6, 0.6, 0.7)))
    assert table_leg_and_top.distance_above(block) == pytest.approx(0.3)
