"""Each stage and each check of open_box_insert, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.chest import DEPTH, HANDLE, HANDLE_AT, HEIGHT, LENGTH, WALL
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.open_box_insert import HALF_EDGE
from ambidex.scripted_policies.arm_motion import tool_orientation

EDGE = 2 * HALF_EDGE
CHEST = Pose.at((0.02, 0.53, 0.0), quaternion_about((0, 0, 1), math.radians(8.0)))
FLOOR = WALL + HALF_EDGE  # height of the cube's centre in the chest [m]


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("open_box_insert", cameras=()))
    placer.prop("chest", CHEST)
    placer.prop("cube", Pose.at((0.26, 0.42, HALF_EDGE)))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    return placer


def open_lid(at: Placer, angle_deg: float) -> None:
    at.scene.data.joint("lid_joint").qpos = math.radians(angle_deg)
    at.scene.refresh()


def put_in(at: Placer, x: float = 0.0, y: float = 0.0, z: float = FLOOR) -> None:
    at.prop("cube", CHEST @ Pose.at((x, y, z)))


def hold_handle(at: Placer) -> None:
    lid = at.scene.body_pose("lid")
    at.reach("left", Pose((lid @ Pose.at(HANDLE_AT)).position, tool_orientation(math.radians(8.0), 0.0)))
    at.fingers("left", HANDLE)


def test_the_initial_state_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_handle_or_cube_held(at: Placer) -> None:
    at.scene.refresh()
    hold_handle(at)
    assert at.stage() == 1
    at.fingers("left", 0.072)
    assert at.stage() == 0
    at.in_gripper("right", "cube", EDGE)
    assert at.stage() == 1


def test_stage_2_lid_open(at: Placer) -> None:
    for angle, stage in ((59.0, 0), (61.0, 2)):
        open_lid(at, angle)
        assert at.stage() == stage


def test_stage_3_cube_held_while_the_lid_is_open(at: Placer) -> None:
    open_lid(at, 90.0)
    at.in_gripper("right", "cube", EDGE)
    assert at.stage() == 3
    at.fingers("right", EDGE, only="left")
    assert at.stage() == 2


def test_stages_4_and_5_cube_in_the_open_and_in_the_closed_chest(at: Placer) -> None:
    put_in(at)
    for angle, stage in ((90.0, 4), (5.5, 4), (4.5, 5), (0.0, 5)):
        open_lid(at, angle)
        assert at.stage() == stage


def test_a_cube_that_is_held_in_the_chest_is_at_stage_3(at: Placer) -> None:
    open_lid(at, 90.0)
    put_in(at, z=0.05)
    at.reach("right", Pose((CHEST @ Pose.at((0.0, 0.0, 0.05))).position, tool_orientation(math.pi, math.pi / 2)))
    at.scene.refresh()
    at.in_gripper("right", "cube", EDGE)
    assert at.stage() == 3


@pytest.mark.parametrize(
    ("x", "y", "z", "inside"),
    [
        (0.05, -0.04, FLOOR, True),
        (-0.05, 0.04, HEIGHT - 0.001, True),
        (LENGTH / 2 - WALL + 0.001, 0.0, FLOOR, False),
        (0.0, -DEPTH / 2 + WALL - 0.001, FLOOR, False),
        (0.0, 0.0, HEIGHT + 0.001, False),
        (0.0, 0.0, WALL - 0.001, False),
    ],
)
def test_the_cube_has_to_be_between_the_walls(at: Placer, x: float, y: float, z: float, inside: bool) -> None:
    open_lid(at, 90.0)
    put_in(at, x, y, z)
    assert at.checks()["cube in the chest"] is inside
    assert at.stage() == (4 if inside else 2)


@pytest.mark.parametrize(("angle", "closed"), [(4.9, True), (5.1, False)])
def test_the_lid_is_closed_below_5_degrees(at: Placer, angle: float, closed: bool) -> None:
    open_lid(at, angle)
    assert at.checks()["lid closed"] is closed


def test_a_hand_on_the_handle_or_the_cube_has_not_released_them(at: Placer) -> None:
    assert at.checks()["cube and chest released"]
    hold_handle(at)
    assert not at.checks()["cube and chest released"]
    at.fingers("left", 0.072)
    assert at.checks()["cube and chest released"]
    at.in_gripper("right", "cube", EDGE, only="right")
    assert not at.checks()["cube and chest released"]


@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_a_moving_cube_is_not_at_rest(at: Placer, speed: float, rests: bool) -> None:
    put_in(at)
    at.scene.data.joint("cube_joint").qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["all at rest"] is rests


@pytest.mark.parametrize(("spin", "rests"), [(0.4, True), (0.6, False)])
def test_a_moving_lid_is_not_at_rest(at: Placer, spin: float, rests: bool) -> None:
    at.scene.data.joint("lid_joint").qvel = spin
    assert at.checks()["all at rest"] is rests


def test_the_spring_closes_the_lid_gently_over_the_cube(at: Placer) -> None:
    put_in(at)
    open_lid(at, 100.0)
    assert not at.hold_still(100)  # 2 s
    assert at.scene.data.joint("lid_joint").qpos[0] > math.radians(30.0)
    at.hold_still(80)
    assert at.hold_still(10)
    assert at.stage() == 5
