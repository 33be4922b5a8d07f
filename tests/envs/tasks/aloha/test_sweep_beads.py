"""Each stage and each check of sweep_beads, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.dustpan_and_brush import (
    BEAD_HALF_HEIGHT,
    BEAD_MARGIN,
    BEAD_RADIUS,
    BRUSH_HANDLE,
    HANDLE_HALF,
    MOUTH,
    PAN_FLOOR,
    PAN_HANDLE,
)
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP
from ambidex.envs.tasks.aloha.sweep_beads import BEADS, BEADS_APART, BEADS_RADIUS, FACTORS, SweepBeads, beads_inside
from ambidex.scripted_policies.arm_motion import tool_orientation

LYING = TABLE_GAP + BEAD_MARGIN + BEAD_HALF_HEIGHT  # height of a bead on the table [m]
PITCH = math.radians(60.0)  # of the tools
WIDTH = 2 * HANDLE_HALF[0]  # of the handles [m]
PRESSED = 0.0001  # how deep things press on each other [m]
BRUSH_PLACE = Pose.at((0.15, 0.4, -PRESSED))


@pytest.fixture
def at() -> Placer:
    """Both tools and all beads on the table, far from each other, and the grippers open."""
    placer = Placer(make("sweep_beads", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    placer.prop("dustpan", Pose.at((-0.15, 0.5, TABLE_GAP)))
    placer.prop("brush", BRUSH_PLACE)
    for number, name in enumerate(BEADS):
        placer.prop(name, Pose.at((-0.1 + 0.02 * number, 0.8, LYING)))
    return placer


def hold_pan(at: Placer, height: float, *, tilt: float = 0.0, arm: str = "left") -> None:
    """The pan `height` [m] above the table and tilted about its y axis, its handle in a gripper."""
    heading = 0.0 if arm == "left" else math.pi
    pan = Pose.at((-0.1, 0.5, height), quaternion_about((0, 1, 0), tilt))
    if arm == "right":
        pan = Pose.at((0.1, 0.5, height), quaternion_about((0, 0, 1), math.pi))
    handle = pan @ Pose.at((PAN_HANDLE[0] + 0.045, 0.0, PAN_HANDLE[1]))
    at.reach(arm, Pose(handle.position, tool_orientation(heading, PITCH)))
    at.fingers(arm, WIDTH)
    at.prop("dustpan", pan)


def hold_brush(at: Placer, pose: Pose, *, only: str = "both") -> None:
    """The right gripper around the handle of the brush."""
    handle = pose @ Pose.at((BRUSH_HANDLE[0] - 0.05, 0.0, BRUSH_HANDLE[1]))
    at.reach("right", Pose(handle.position, tool_orientation(math.pi, PITCH)))
    at.fingers("right", WIDTH, only=only)
    at.prop("brush", pose)


def fill(at: Placer, count: int) -> None:
    """Beads on the floor of the pan, in rows of five; those that are left stay on the table."""
    at.scene.refresh()
    pan = at.scene.body_pose("dustpan")
    for number, name in enumerate(BEADS[:count]):
        row, column = divmod(number, 5)
        x, y = -0.045 + 0.02 * row, 0.02 * (column - 2)
        at.prop(name, pan @ Pose.at((x, y, PAN_FLOOR + BEAD_HALF_HEIGHT + BEAD_MARGIN)))


def test_tools_and_beads_on_the_table_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_dustpan_or_brush_held(at: Placer) -> None:
    hold_brush(at, BRUSH_PLACE)
    assert at.stage() == 1


def test_the_dustpan_in_the_other_hand_is_no_stage(at: Placer) -> None:
    hold_pan(at, 0.05, arm="right")
    assert at.stage() == 0


def test_stage_2_both_held(at: Placer) -> None:
    hold_pan(at, TABLE_GAP)
    assert at.stage() == 1
    hold_brush(at, BRUSH_PLACE)
    assert at.stage() == 2


def test_stages_3_and_4_beads_in_the_dustpan(at: Placer) -> None:
    hold_pan(at, TABLE_GAP)
    for count, stage in ((1, 3), (9, 3), (10, 4), (12, 4)):
        fill(at, count)
        assert at.stage() == stage


def test_stage_5_dustpan_lifted(at: Placer) -> None:
    hold_brush(at, BRUSH_PLACE)
    for height, stage in ((0.029, 4), (0.031, 5)):
        hold_pan(at, height)
        fill(at, 10)
        assert at.stage() == stage


def test_stage_6_brush_put_down(at: Placer) -> None:
    hold_pan(at, 0.05)
    fill(at, 10)
    assert at.stage() == 6
    at.prop("brush", BRUSH_PLACE.shifted((0.0, 0.0, 0.01)))
    assert at.stage() == 5


def test_beads_before_beside_and_below_the_dustpan_do_not_count(at: Placer) -> None:
    hold_pan(at, 0.05)
    pan = Pose.at((-0.1, 0.5, 0.05))
    for place in ((MOUTH + 0.001, 0.0, 0.01), (0.0, 0.08, 0.01), (0.0, 0.0, -0.01), (0.0, 0.0, 0.04)):
        at.prop("bead_0", pan @ Pose.at(place))
        at.scene.refresh()
        assert beads_inside(at.scene) == ()
    at.prop("bead_0", pan @ Pose.at((MOUTH - 0.001, 0.0, 0.01)))
    at.scene.refresh()
    assert beads_inside(at.scene) == ("bead_0",)


def test_all_checks_hold_for_a_filled_dustpan(at: Placer) -> None:
    hold_pan(at, 0.05)
    fill(at, 10)
    assert all(at.checks().values())


def test_holding_a_filled_dustpan_still_is_success(at: Placer) -> None:
    hold_pan(at, 0.08)
    fill(at, 12)
    action = at.env.observe().qpos.astype(np.float32)
    action[[6, 13]] -= 0.1  # the fingers squeeze
    successes = [at.env.step(action).success for _ in range(80)]  # the arm sags first
    assert all(successes[-20:])


@pytest.mark.parametrize(("degrees", "level"), [(9.5, True), (10.5, False), (-10.5, False)])
def test_a_tilted_dustpan_is_not_level(at: Placer, degrees: float, level: bool) -> None:
    hold_pan(at, 0.06, tilt=math.radians(degrees))
    fill(at, 10)
    checks = at.checks()
    assert checks["dustpan level"] is level
    assert checks["dustpan held by the left arm, 3 cm above the table"]


def test_the_lowest_point_of_a_tilted_dustpan_counts(at: Placer) -> None:
    hold_pan(at, 0.035, tilt=math.radians(9.5))
    assert not at.checks()["dustpan held by the left arm, 3 cm above the table"]


def test_nine_beads_are_too_few(at: Placer) -> None:
    hold_pan(at, 0.05)
    fill(at, 9)
    assert not at.checks()["10 of 12 beads in the dustpan"]


def test_a_brush_that_is_touched_is_not_put_down(at: Placer) -> None:
    hold_brush(at, BRUSH_PLACE, only="left")
    assert not at.checks()["brush on the table, released"]


def test_a_bead_that_is_touched_is_not_released(at: Placer) -> None:
    hold_pan(at, 0.05)
    fill(at, 10)
    at.prop("brush", BRUSH_PLACE)
    at.fingers("right", 2 * BEAD_RADIUS)
    at.scene.refresh()
    inside = at.scene.body_pose("bead_0")
    at.reach("right", Pose(inside.position, tool_orientation(math.pi, PITCH)))
    assert not at.checks()["beads in the dustpan released"]


@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
@pytest.mark.parametrize("body", ["dustpan", "brush", "bead_0"])
def test_what_moves_is_not_at_rest(at: Placer, body: str, speed: float, rests: bool) -> None:
    hold_pan(at, 0.05)
    fill(at, 10)
    joint = at.scene.model.body(body).jntadr[0]
    at.scene.data.joint(int(joint)).qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["all at rest"] is rests


@pytest.mark.parametrize("spread", ["published", "wide"])
def test_beads_lie_in_a_disc_without_overlap(spread: str) -> None:
    env = make("sweep_beads", spread=spread, cameras=())
    assert isinstance(env.task, SweepBeads)
    for seed in range(20):
        env.reset(seed)
        places = env.scene.body_poses(BEADS).reshape(-1, 7)[:, :2]
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        assert apart[~np.eye(len(BEADS), dtype=bool)].min() >= BEADS_APART - 1e-9
        assert apart.max() <= 2 * FACTORS[spread] * BEADS_RADIUS
