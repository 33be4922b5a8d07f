"""Boxes of geoms: where they are, and how far they can sink."""

import mujoco
import numpy as np
import pytest

from ambidex.scripted_policies.libero.planning.clearance import GeomBoxes

TURNED = """<mujoco><worldbody>
<geom type="box" size=".1 .2 .3" pos="1 2 3" euler="0 0 90"/><geom type="plane" size="1 1 1"/>
</worldbody></mujoco>"""


def _boxes(*corners: tuple[tuple[float, float, float], tuple[float, float, float]]) -> GeomBoxes:
    return GeomBoxes(low=np.array([low for low, _ in corners]), high=np.array([high for _, high in corners]))


def test_a_box_around_a_turned_geom_and_around_a_plane() -> None:
    model = mujoco.MjModel.from_xml_string(TURNED)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    boxes = GeomBoxes.around(model, data, np.array([0, 1]))
    np.testing.assert_allclose((boxes.low[0], boxes.high[0]), ((0.8, 1.9, 2.7), (1.2, 2.1, 3.3)))
    assert boxes.high[1, 2] == 0.0
    assert (boxes.low[1] < -1e6).all()


@pytest.mark.parametrize(
    ("below", "fall"),
    [
        (((0.0, 0.0, 0.0), (1.0, 1.0, 0.4)), 0.6),
        (((0.0, 0.0, 0.0), (1.0, 1.0, 1.2)), 0.0),
        (((2.0, 0.0, 0.0), (3.0, 1.0, 0.4)), np.inf),
        (((0.0, 0.0, 3.0), (1.0, 1.0, 4.0)), np.inf),
    ],
    ids=["below", "overlapping", "beside", "above"],
)
def test_a_box_sinks_as_far_as_what_is_below_lets_it(
    below: tuple[tuple[float, float, float], tuple[float, float, float]], fall: float
) -> None:
    assert _boxes(((0.2, 0.2, 1.0), (0.8, 0.8, 2.0))).fall(_boxes(below)) == pytest.approx(fall)


def test_each_box_counts_for_itself() -> None:
    table_leg_and_top = _boxes(((0.0, 0.0, 0.0), (0.1, 0.1, 1.0)), ((0.0, 0.0, 1.0), (1.0, 1.0, 1.1)))
    block = _boxes(((0.5, 0.5, 0.0), (0.6, 0.6, 0.7)))
    assert table_leg_and_top.fall(block) == pytest.approx(0.3)
