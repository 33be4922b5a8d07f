"""Drawers, door and knob moved by a finger; the hot plate that glows."""

import mujoco
import numpy as np
import pytest
from fixture_scene import FIXTURE, FixtureScene

from ambidex.envs.objects.fixtures.appliances import BURNER, dress
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about

MAX_SINKING = 0.001  # of a finger into what it moves [m]
HAND_OPENING = 0.08  # of a Panda's gripper [m]
FINGER = (0.01, 0.005, 0.02)  # half sizes [m]
SPEED = 0.08  # [m/s]


def site_pose(scene: FixtureScene, site: str) -> Pose:
    view = scene.data.site(f"{FIXTURE}_{site}")
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, view.xmat)
    return Pose(view.xpos.copy(), quaternion)


@pytest.mark.parametrize("category", ["wooden_cabinet", "white_cabinet"])
@pytest.mark.parametrize("level", ["top", "middle", "bottom"])
def test_a_finger_behind_the_handle_opens_a_drawer_and_before_it_closes_it(category: str, level: str) -> None:
    scene = FixtureScene(category, finger=FINGER)
    handle = scene.fixture.inverse() @ site_pose(scene, f"{level}_handle")
    gap = 0.0035 + FINGER[1]
    scene.move_finger(handle.shifted((0.0, gap + 0.003, 0.0)))
    assert scene.data.ncon == 0  # a finger fits behind the bar
    sunk = scene.drag_finger((0.0, -SPEED, 0.0), 2.0)
    assert scene.holds("open", f"{level}_region")
    assert sunk < MAX_SINKING
    opened = scene.joint(f"{level}_level")
    scene.move_finger(handle.shifted((0.0, opened - gap - 0.003, 0.0)))
    sunk = scene.drag_finger((0.0, SPEED, 0.0), 2.2)
    assert scene.holds("close", f"{level}_region")
    assert sunk < 5 * MAX_SINKING  # it goes on pushing against the stop


@pytest.mark.parametrize("category", ["wooden_cabinet", "white_cabinet"])
def test_a_handle_fits_between_the_fingers_any_way_round(category: str) -> None:
    model = FixtureScene(category).model
    for level in ("top", "middle", "bottom"):
        assert (2 * model.site(f"{FIXTURE}_{level}_handle").size < HAND_OPENING - 0.02).all()


def test_a_finger_behind_the_handle_opens_the_microwave() -> None:
    scene = FixtureScene("microwave", finger=FINGER)
    hinge = np.array(object_properties("microwave").joints["microjoint"].anchor)
    handle = (scene.fixture.inverse() @ site_pose(scene, "door_handle")).position - hinge
    sunk = 0.0
    behind = Pose.at(hinge + handle + np.array((0.0, 0.0055 + FINGER[1] + 0.001, 0.0)))
    scene.move_finger(behind)
    for angle in np.arange(0.0, -1.8, -0.004):  # about 0.4 rad/s
        turn = Pose.at(hinge, quaternion_about((0, 0, 1), angle))
        scene.guide_finger(turn @ Pose.at(handle + np.array((0.0, 0.0055 + FINGER[1] + 0.001, 0.0))))
        scene.run(0.01)
        sunk = max(sunk, scene.deepest())
    assert scene.holds("open")
    assert sunk < MAX_SINKING


@pytest.mark.parametrize(("start", "predicate", "sign"), [(0.0, "turnon", 1.0), (1.6, "turnoff", -1.0)])
def test_a_finger_turns_the_knob_either_way(start: float, predicate: str, sign: float) -> None:
    scene = FixtureScene("flat_stove", finger=FINGER)
    scene.set_joint("button", start)
    sunk = 0.0
    for angle in np.arange(0.0, 1.75, 0.01):  # about 1 rad/s
        turn = quaternion_about((0, 0, 1), start + sign * (angle - 0.05))
        pose = Pose.at((0, 0, 0), turn) @ Pose.at((0.034, -sign * (0.006 + FINGER[1]), 0.045))
        (scene.guide_finger if angle else scene.move_finger)(pose)
        scene.run(0.01)
        sunk = max(sunk, scene.deepest())
        if scene.holds(predicate):
            break
    assert scene.holds(predicate)
    assert sunk < 3 * MAX_SINKING
    scene.move_finger(Pose.at((0.0, 0.0, 0.5)))
    scene.run(1.0)
    assert scene.holds(predicate)


def test_the_fin_fits_between_the_fingers() -> None:
    assert 2 * FixtureScene("flat_stove").model.site(f"{FIXTURE}_knob_handle").size[1] < HAND_OPENING / 2


def test_the_hot_plate_glows_when_the_stove_is_on_and_only_then() -> None:
    scene = FixtureScene("flat_stove")
    material = scene.model.material(f"{FIXTURE}_{BURNER}")
    for angle, emission in ((0.0, 0.0), (0.49, 0.0), (0.5, 0.9), (2.0, 0.9), (0.1, 0.0)):
        scene.set_joint("button", angle)
        dress(scene.model, scene.data, FIXTURE)
        assert float(material.emission[0]) == pytest.approx(emission)
        assert (material.rgba[0] > 0.9) == (emission > 0)
