"""Each stage and each check of hand_over_bar, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import TOUCH, Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.bar_and_bowl import BAR_HALF_SIZE, BOWL_HEIGHT
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.scripted_policies.arm_motion import tool_orientation

WIDTH = 2 * BAR_HALF_SIZE[1]
ON_RIM = BOWL_HEIGHT + BAR_HALF_SIZE[2] - TOUCH  # height of a bar across the bowl [m]
GRIP = 0.08  # distance of the hands from the bar's centre [m]
BOWL = (-0.2, 0.6)


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("hand_over_bar", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    placer.prop("bar", Pose.at((0.2, 0.7, BAR_HALF_SIZE[2] - TOUCH)))
    placer.prop("bowl", Pose.at((*BOWL, 0.0)))
    return placer


def hold(at: Placer, *arms: str, x: float = 0.0, z: float = 0.2, only: str = "both") -> None:
    """A bar along x with its centre at (x, 0.5, z), in the hands of arms."""
    for arm, side, heading in (("left", -1.0, 0.0), ("right", 1.0, math.pi)):
        if arm in arms:
            at.reach(arm, Pose.at((x + side * GRIP, 0.5, z), tool_orientation(heading, 0.5)))
            at.fingers(arm, WIDTH, only=only)
    at.prop("bar", Pose.at((x, 0.5, z)))


def lay(at: Placer, *, shift: float = 0.0, slope: float = 0.0, lift: float = 0.0) -> None:
    """The bar on the bowl's rim, shifted along its axis, sloping about its middle, or lifted."""
    turn = quaternion_about((0, 1, 0), slope)
    at.prop("bar", Pose.at((BOWL[0] + shift, BOWL[1], ON_RIM + lift), turn))


def test_a_bar_on_the_table_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_held_by_the_right_hand_in_the_air(at: Placer) -> None:
    hold(at, "right", x=0.15)
    assert at.stage() == 1
    hold(at, "right", z=0.08)
    assert at.stage() == 1


@pytest.mark.parametrize("finger", ["left", "right"])
def test_one_finger_does_not_hold(at: Placer, finger: str) -> None:
    hold(at, "right", only=finger)
    assert at.stage() == 0


def test_a_bar_held_on_the_table_is_no_stage(at: Placer) -> None:
    hold(at, "right", x=0.15, z=0.05)
    at.prop("bar", Pose.at((0.15, 0.5, BAR_HALF_SIZE[2] - TOUCH)))
    assert at.stage() == 0


def test_stage_2_held_out_in_the_middle(at: Placer) -> None:
    hold(at, "right")
    assert at.stage() == 2


def test_stage_3_held_by_both_and_4_by_left_alone(at: Placer) -> None:
    hold(at, "left", "right")
    assert at.stage() == 3
    at.fingers("right", 0.072)
    assert at.stage() == 4


def test_a_bar_that_the_right_hand_touches_is_not_held_by_left_alone(at: Placer) -> None:
    hold(at, "left", "right")
    at.fingers("right", WIDTH, only="left")
    assert at.stage() == 3


def test_stage_5_on_the_bowl(at: Placer) -> None:
    lay(at)
    assert at.stage() == 5


def test_all_checks_hold_for_a_bar_across_the_bowl(at: Placer) -> None:
    lay(at, shift=0.03)
    assert all(at.checks().values())


def test_a_bar_across_the_bowl_lies_still(at: Placer) -> None:
    lay(at, shift=0.03)
    at.hold_still(20)
    assert at.hold_still(5)


@pytest.mark.parametrize("change", [{"shift": 0.036}, {"lift": 0.001}, {"slope": 0.19}])
def test_a_bar_beside_above_or_leaning_on_the_bowl_is_not_across_it(at: Placer, change: dict[str, float]) -> None:
    lay(at, **change)
    assert not at.checks()["bar across the bowl"]
    assert at.stage() == 0


def test_a_bar_that_sags_a_little_is_across_the_bowl(at: Placer) -> None:
    lay(at, slope=0.16)
    assert at.checks()["bar across the bowl"]


def test_a_bar_that_touches_the_table_is_not_off_it(at: Placer) -> None:
    assert not at.checks()["bar off the table"]
    lay(at)
    assert at.checks()["bar off the table"]


@pytest.mark.parametrize(("degrees", "upright"), [(9.0, True), (11.0, False)])
def test_a_bowl_that_is_tipped_is_not_upright(at: Placer, degrees: float, upright: bool) -> None:
    at.prop("bowl", Pose.at((*BOWL, 0.0), quaternion_about((1, 0, 0), math.radians(degrees))))
    assert at.checks()["bowl upright"] is upright


@pytest.mark.parametrize("body", ["bar", "bowl"])
@pytest.mark.parametrize("arm", ["left", "right"])
def test_what_an_arm_touches_is_not_released(at: Placer, arm: str, body: str) -> None:
    lay(at)
    assert at.checks()["both released"]
    at.prop(body, at.tool(arm) @ Pose.at((-0.06, 0.0, 0.0)))
    assert not at.checks()["both released"]


@pytest.mark.parametrize("body", ["bar", "bowl"])
@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_what_moves_is_not_at_rest(at: Placer, body: str, speed: float, rests: bool) -> None:
    lay(at)
    at.scene.data.joint(f"{body}_joint").qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["both at rest"] is rests
