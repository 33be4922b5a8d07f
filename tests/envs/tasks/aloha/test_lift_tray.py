"""Each stage and each check of lift_tray, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.tray import FLOOR, HANDLE, HANDLE_HEIGHT, HANDLE_X, SIDES, WIDTH
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.lift_tray import CUBE_OFFSET, HALF_EDGE, LiftTray
from ambidex.scripted_policies.arm_motion import tool_orientation

FORWARD = {"left": 0.0, "right": math.pi}
PITCH = math.radians(55.0)
PRESSED = 0.0001  # how deep the cube presses on the tray [m]


@pytest.fixture
def at() -> Placer:
    return Placer(make("lift_tray", cameras=()))


def raise_tray(
    at: Placer, height: float = 0.12, *, tilt_deg: float = 0.0, arms: tuple[str, ...] = tuple(SIDES)
) -> None:
    """The tray in the air with the cube on it; its handles are between the fingers of arms."""
    tray = Pose.at((0.0, 0.5, height), quaternion_about((1, 0, 0), math.radians(tilt_deg)))
    at.prop("tray", tray)
    put_on_tray(at, tray)
    for arm in arms:
        handle = tray @ Pose.at((SIDES[arm] * HANDLE_X, 0.0, HANDLE_HEIGHT))
        at.reach(arm, Pose(handle.position, tool_orientation(FORWARD[arm], PITCH)))
        at.fingers(arm, HANDLE)


def put_on_tray(at: Placer, tray: Pose, y: float = 0.0, height: float = 0.0) -> None:
    at.prop("cube", tray @ Pose.at((0.03, y, FLOOR + HALF_EDGE - PRESSED + height)))


def test_the_cube_starts_on_the_tray_within_its_range() -> None:
    for spread, factor in (("published", 1.0), ("wide", 1.5)):
        env = make("lift_tray", cameras=(), spread=spread)
        offsets = []
        for seed in range(40):
            env.reset(seed)
            offsets.append((env.scene.body_pose("tray").inverse() @ env.scene.body_pose("cube")).position)
        assert 0.8 * factor * CUBE_OFFSET < np.abs(offsets)[:, :2].max() <= factor * CUBE_OFFSET
        assert np.allclose(np.array(offsets)[:, 2], FLOOR + HALF_EDGE, atol=1e-4)


def test_layout_cannot_move_the_objects() -> None:
    assert not LiftTray().initial_ranges("published")


def test_the_initial_state_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_needs_a_finger_of_each_arm(at: Placer) -> None:
    raise_tray(at, 0.02, arms=("left",))
    assert at.stage() == 0
    raise_tray(at, 0.02)
    at.fingers("right", HANDLE, only="left")
    assert at.stage() == 1


def test_stages_2_to_4_by_height(at: Placer) -> None:
    for height, stage in ((0.02, 2), (0.031, 3), (0.099, 3), (0.101, 4)):
        raise_tray(at, height)
        assert at.stage() == stage


def test_a_tilted_tray_is_lifted_and_not_raised(at: Placer) -> None:
    raise_tray(at, 0.16, tilt_deg=11.0)
    assert at.stage() == 3
    assert not at.checks()["level"]
    raise_tray(at, 0.16, tilt_deg=9.0)
    assert at.stage() == 4
    assert at.checks()["level"]


def test_the_lowest_point_counts(at: Placer) -> None:
    raise_tray(at, 0.111, tilt_deg=9.0)  # the lowest edge is 17 mm lower than the middle
    assert not at.checks()["10 cm above the table"]
    assert at.stage() == 3
    raise_tray(at, 0.121, tilt_deg=9.0)
    assert at.checks()["10 cm above the table"]


def test_without_the_cube_the_last_stage_is_not_reached(at: Placer) -> None:
    raise_tray(at)
    at.prop("cube", Pose.at((0.0, 0.8, HALF_EDGE)))
    assert at.stage() == 3
    assert not at.checks()["cube on the tray"]


@pytest.mark.parametrize(
    ("y", "height", "carried"), [(0.09, 0.0, True), (WIDTH / 2, 0.018, False), (0.0, 0.002, False)]
)
def test_the_cube_has_to_stand_within_the_rim(at: Placer, y: float, height: float, carried: bool) -> None:
    raise_tray(at)
    put_on_tray(at, Pose.at((0.0, 0.5, 0.12)), y, height)
    at.scene.refresh()
    assert at.checks()["cube on the tray"] is carried


@pytest.mark.parametrize("arm", SIDES)
def test_both_arms_have_to_hold(at: Placer, arm: str) -> None:
    raise_tray(at)
    assert at.checks()["held by both arms"]
    at.fingers(arm, HANDLE, only="right")
    assert not at.checks()["held by both arms"]
    assert at.stage() == 1


def test_a_touched_cube_is_not_released(at: Placer) -> None:
    raise_tray(at)
    assert at.checks()["cube released"]
    at.in_gripper("left", "cube", 2 * HALF_EDGE, only="left")
    assert not at.checks()["cube released"]


@pytest.mark.parametrize("body", ["tray", "cube"])
@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_a_moving_object_is_not_at_rest(at: Placer, body: str, speed: float, rests: bool) -> None:
    raise_tray(at)
    at.scene.data.joint(f"{body}_joint").qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["all at rest"] is rests


def test_holding_the_tray_still_is_success(at: Placer) -> None:
    raise_tray(at, 0.14)
    at.hold_still(20)
    assert at.hold_still(20)
    assert at.stage() == 4
