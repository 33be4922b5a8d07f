"""Each stage and each check of unscrew_cap, true and false, in hand-placed states; the thread."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.bottle import CAP_BOTTOM, CAP_RADIUS, PITCH
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.unscrew_cap import UnscrewCap
from ambidex.scripted_policies.arm_motion import tool_orientation

BOTTLE = Pose.at((0.0, 0.5, 0.0))
ON_TABLE = Pose.at((0.15, 0.5, -0.0001))


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("unscrew_cap", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    close(placer)
    return placer


def close(at: Placer, turn: float = 0.0) -> None:
    """The cap on the bottle, after a turn [rad]."""
    at.prop("bottle", BOTTLE.shifted((0.0, 0.0, -0.0001)))
    at.scene.data.joint("thread_joint").qpos = turn
    at.scene.data.joint("thread_rise_joint").qpos = turn * PITCH / (2 * math.pi)
    lifted = CAP_BOTTOM + turn * PITCH / (2 * math.pi)
    at.prop("cap", BOTTLE @ Pose.at((0.0, 0.0, lifted), quaternion_about((0, 0, 1), turn)))


def hold_bottle(at: Placer) -> None:
    at.reach("left", Pose(np.array([0.0, 0.5, 0.035]), tool_orientation(0.0, math.radians(25.0))))
    at.fingers("left", 0.05)


def unscrew(at: Placer, cap: Pose = ON_TABLE) -> None:
    close(at, UnscrewCap.frees_at + 0.01)
    at.scene.data.eq_active[at.scene.model.equality("cap_on_seat").id] = 0
    at.prop("cap", cap)


def test_a_closed_bottle_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_and_2_bottle_held_and_half_a_turn(at: Placer) -> None:
    hold_bottle(at)
    assert at.stage() == 1
    close(at, 3.0)
    assert at.stage() == 1
    close(at, 3.2)
    assert at.stage() == 2


def test_half_a_turn_without_the_left_hand_is_no_stage(at: Placer) -> None:
    close(at, 3.2)
    assert at.stage() == 0


def test_stage_3_cap_free_on_the_bottle(at: Placer) -> None:
    close(at, UnscrewCap.frees_at + 0.01)
    assert at.stage() == 3


def test_stage_4_cap_off_in_the_air(at: Placer) -> None:
    unscrew(at, Pose.at((0.06, 0.5, 0.2)))
    assert at.stage() == 4
    unscrew(at, Pose.at((0.04, 0.5, 0.2)))
    assert at.stage() == 3


def test_stage_5_cap_released_on_the_table(at: Placer) -> None:
    unscrew(at)
    assert at.stage() == 5
    at.reach("right", Pose(np.array([0.15, 0.5, 0.03]), tool_orientation(math.pi, math.pi / 2)))
    at.fingers("right", 2 * CAP_RADIUS)
    assert at.stage() == 4


def test_all_checks_hold_after_the_task(at: Placer) -> None:
    unscrew(at)
    assert all(at.checks().values())
    assert [at.hold_still(1) for _ in range(12)][-1]


@pytest.mark.parametrize(
    ("check", "cap"),
    [
        ("cap on the table, 5 cm from the bottle", Pose.at((0.04, 0.5, -0.0001))),
        ("cap on the table, 5 cm from the bottle", Pose.at((0.15, 0.5, 0.01))),
    ],
)
def test_a_cap_elsewhere_does_not_count(at: Placer, check: str, cap: Pose) -> None:
    unscrew(at, cap)
    assert not at.checks()[check]


def test_a_cap_that_is_not_unscrewed_does_not_count(at: Placer) -> None:
    close(at, UnscrewCap.frees_at - 0.01)
    at.prop("cap", ON_TABLE)
    assert not at.checks()["cap unscrewed"]


@pytest.mark.parametrize(("degrees", "upright"), [(9.0, True), (11.0, False)])
def test_a_tilted_bottle_is_not_upright(at: Placer, degrees: float, upright: bool) -> None:
    unscrew(at)
    edge = Pose.at((0.0, 0.5, 0.025 * math.sin(math.radians(degrees)) - 0.0002))
    at.prop("bottle", edge @ Pose.at((0, 0, 0), quaternion_about((1, 0, 0), math.radians(degrees))))
    assert at.checks()["bottle upright on the table"] is upright


def test_a_held_bottle_is_not_released(at: Placer) -> None:
    unscrew(at)
    hold_bottle(at)
    assert not at.checks()["both released"]


@pytest.mark.parametrize("body", ["bottle", "cap"])
def test_what_moves_is_not_at_rest(at: Placer, body: str) -> None:
    unscrew(at)
    joint = int(at.scene.model.body(body).jntadr[0])
    at.scene.data.joint(joint).qvel[0] = 0.06
    assert not at.checks()["both at rest"]


def pulled_height(at: Placer, newtons: float) -> float:
    """Height of the cap above the bottle after it has been pulled up for half a second [m]."""
    scene = at.scene
    scene.refresh()
    scene.data.xfrc_applied[scene.model.body("cap").id, 2] = newtons
    for _ in range(25):
        scene.advance(10)
    return float((scene.body_pose("cap").position - scene.body_pose("bottle").position)[2])


def test_the_cap_stays_on_the_bottle_until_it_is_unscrewed(at: Placer) -> None:
    """A pull of four times its weight."""
    assert pulled_height(at, 0.2) == pytest.approx(CAP_BOTTOM, abs=0.002)
    close(at, UnscrewCap.frees_at + 0.01)
    assert pulled_height(at, 0.2) > 0.2


def test_a_turn_of_the_cap_lifts_it_by_the_pitch(at: Placer) -> None:
    scene = at.scene
    scene.refresh()
    for body, torque in (("cap", 0.015), ("bottle", -0.015)):
        scene.data.xfrc_applied[scene.model.body(body).id, 5] = torque
    while (turn := float(scene.data.joint("thread_joint").qpos[0])) < 3.0:
        scene.advance(10)
    rise = float(scene.data.joint("thread_rise_joint").qpos[0])
    assert rise == pytest.approx(turn * PITCH / (2 * math.pi), abs=3e-4)
