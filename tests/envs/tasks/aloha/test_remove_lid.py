"""Each stage and each check of remove_lid, true and false, in hand-placed states; the friction of the cap."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.marker import CAP_LENGTH, HALF_LENGTH, MOUTH, PULL, RADIUS, TIP, TRAVEL
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.remove_lid import LIFTED, RemoveLid
from ambidex.scripted_policies.arm_motion import tool_orientation

LYING = RADIUS + 0.0005  # height of the axis on the table, inside the margin of the table's contacts [m]
ON_TABLE = Pose.at((-0.1, 0.5, LYING))
CAP_ON_TABLE = Pose.at((0.12, 0.5, LYING))
IN_AIR = Pose.at((-0.04, 0.5, 0.15))


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("remove_lid", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    close(placer, ON_TABLE)
    return placer


def close(at: Placer, marker: Pose, way: float = 0.0) -> None:
    """The cap on the marker, after a way [m]."""
    at.prop("marker", marker)
    at.scene.data.joint("cap_seat_joint").qpos = way
    at.prop("cap", marker @ Pose.at((MOUTH + way, 0.0, 0.0)))


def pull_off(at: Placer, marker: Pose = ON_TABLE, cap: Pose = CAP_ON_TABLE) -> None:
    close(at, marker, RemoveLid.frees_at + 0.0005)
    at.scene.data.eq_active[at.scene.model.equality("cap_on_seat").id] = 0
    at.prop("cap", cap)


def hold(at: Placer, arm: str, body: str) -> None:
    """An arm's fingers around the middle of a part, the tool pointing along it."""
    middle = at.scene.data.joint(f"{body}_joint").qpos[:3] + np.array([-0.05 if body == "marker" else 0.025, 0.0, 0.01])
    heading, pitch = (0.0, math.radians(70.0)) if arm == "left" else (math.pi, math.radians(50.0))
    at.reach(arm, Pose(middle, tool_orientation(heading, pitch)))
    at.fingers(arm, 2 * RADIUS)


def test_a_closed_marker_on_the_table_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0
    assert at.checks()["both on the table"]


def test_stage_1_and_2_marker_held_and_lifted(at: Placer) -> None:
    close(at, Pose.at((-0.04, 0.5, LIFTED - 0.001)))
    hold(at, "left", "marker")
    assert at.stage() == 1
    close(at, Pose.at((-0.04, 0.5, LIFTED + 0.001)))
    assert at.stage() == 2


def test_the_cap_alone_held_is_no_stage(at: Placer) -> None:
    close(at, IN_AIR)
    hold(at, "right", "cap")
    assert at.stage() == 0


def test_stage_3_cap_held_by_the_right_hand_while_the_left_one_holds_the_marker(at: Placer) -> None:
    close(at, IN_AIR)
    hold(at, "left", "marker")
    hold(at, "right", "cap")
    assert at.stage() == 3
    at.fingers("right", 2 * RADIUS, only="left")
    assert at.stage() == 2


def test_stage_4_cap_free_on_the_marker(at: Placer) -> None:
    close(at, IN_AIR, RemoveLid.frees_at - 0.0005)
    assert at.stage() == 0
    close(at, IN_AIR, RemoveLid.frees_at + 0.0005)
    assert at.stage() == 4


def test_stage_5_cap_off_in_the_air(at: Placer) -> None:
    end = IN_AIR @ Pose.at((TIP, 0.0, 0.0))
    pull_off(at, IN_AIR, end @ Pose.at((0.059, 0.0, 0.0)))
    assert at.stage() == 4
    pull_off(at, IN_AIR, end @ Pose.at((0.061, 0.0, 0.0)))
    assert at.stage() == 5


def test_stage_6_both_released_on_the_table(at: Placer) -> None:
    pull_off(at)
    assert at.stage() == 6
    hold(at, "right", "cap")
    assert at.stage() == 5
    pull_off(at, IN_AIR)
    assert at.stage() == 5


def test_all_checks_hold_after_the_task(at: Placer) -> None:
    pull_off(at)
    assert all(at.checks().values())
    assert [at.hold_still(1) for _ in range(12)] == [False] * 9 + [True] * 3  # success needs 10 steps


def test_a_cap_that_is_not_pulled_off_does_not_count(at: Placer) -> None:
    close(at, ON_TABLE, RemoveLid.frees_at - 0.0005)
    assert not at.checks()["cap pulled off"]
    pull_off(at)
    assert at.checks()["cap pulled off"]


@pytest.mark.parametrize("marker_turn", [0.0, math.pi / 2, math.pi])
@pytest.mark.parametrize("cap_turn", [0.0, math.pi / 2, math.pi])
def test_5_cm_between_the_surfaces_whichever_way_they_lie(at: Placer, marker_turn: float, cap_turn: float) -> None:
    """8.6 cm from the marker's axis to the middle of the cap are enough, 6.5 cm are not."""
    reach = {0.0: TIP, math.pi: HALF_LENGTH}.get(marker_turn, 0.0)
    for gap, enough in ((0.061 + CAP_LENGTH / 2, True), (0.04 + CAP_LENGTH / 2, False)):
        middle = Pose.at((ON_TABLE.position[0] + reach + gap, 0.5, LYING), quaternion_about((0, 0, 1), cap_turn))
        marker = ON_TABLE @ Pose.at((0, 0, 0), quaternion_about((0, 0, 1), marker_turn))
        pull_off(at, marker, middle @ Pose.at((-CAP_LENGTH / 2, 0.0, 0.0)))
        assert at.checks()["5 cm between cap and marker"] is enough


@pytest.mark.parametrize("body", ["marker", "cap"])
def test_what_is_in_the_air_is_not_on_the_table(at: Placer, body: str) -> None:
    pull_off(at)
    at.prop(body, (ON_TABLE if body == "marker" else CAP_ON_TABLE).shifted((0.0, 0.0, 0.003)))
    assert not at.checks()["both on the table"]


@pytest.mark.parametrize(("arm", "body"), [("left", "marker"), ("right", "cap")])
def test_what_a_finger_touches_is_not_released(at: Placer, arm: str, body: str) -> None:
    pull_off(at)
    assert at.checks()["both released"]
    hold(at, arm, body)
    at.fingers(arm, 2 * RADIUS, only="left")
    assert not at.checks()["both released"]


@pytest.mark.parametrize("body", ["marker", "cap"])
@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_what_moves_is_not_at_rest(at: Placer, body: str, speed: float, rests: bool) -> None:
    pull_off(at)
    at.scene.data.joint(f"{body}_joint").qvel[0] = speed
    assert at.checks()["both at rest"] is rests


def way_when_pulled(at: Placer, newtons: float) -> float:
    """How far the cap has been pulled [m] after half a second in which both parts are pulled, in opposite ways."""
    scene = at.scene
    scene.refresh()
    for body, sign in (("cap", 1.0), ("marker", -1.0)):
        scene.data.xfrc_applied[scene.model.body(body).id, 0] = sign * newtons
    for _ in range(25):
        scene.advance(10)
    return RemoveLid().seat_position(scene)


def test_the_cap_comes_off_only_if_it_is_pulled_harder_than_its_friction(at: Placer) -> None:
    fit = at.scene.model.equality("cap_on_seat").id
    assert way_when_pulled(at, 0.8 * PULL) < 0.1 * TRAVEL
    assert at.scene.data.eq_active[fit]
    assert way_when_pulled(at, 1.5 * PULL) >= RemoveLid.frees_at
    assert not at.scene.data.eq_active[fit]


def test_a_marker_on_a_flat_side_does_not_roll(at: Placer) -> None:
    pull_off(at)
    at.scene.refresh()
    for body in ("marker", "cap"):
        at.scene.data.joint(f"{body}_joint").qvel[3] = 2.0  # about its axis [rad/s]
    for _ in range(50):
        at.scene.advance(10)
    assert all(abs(at.scene.body_pose(body).position[1] - 0.5) < 0.01 for body in ("marker", "cap"))
    assert at.checks()["both at rest"]
