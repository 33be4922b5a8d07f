"""Each stage and each check of the cube transfer, true and false, in hand-placed states."""

import math

import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.scripted_policies.arm_motion import tool_orientation

EDGE = 0.04
AIR = Pose.at((0.0, 0.6, 0.3))


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("transfer_cube", cameras=()))
    placer.fingers("left", 0.072)
    placer.fingers("right", 0.072)
    return placer


def on_table(at: Placer, arm: str, only: str) -> None:
    """The cube on the table, an arm from above with one or both fingers at it."""
    heading, x = (0.0, -0.1) if arm == "left" else (math.pi, 0.1)
    at.prop("cube", Pose.at((x, 0.5, 0.0199)))
    at.reach(arm, Pose.at((x, 0.5, 0.027), tool_orientation(heading, math.pi / 2)))
    at.fingers(arm, EDGE, only=only)


def test_nothing_touched_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0
    at.prop("cube", AIR)
    assert at.stage() == 0


@pytest.mark.parametrize("finger", ["left", "right"])
def test_stage_1_touched_by_either_right_finger_on_the_table(at: Placer, finger: str) -> None:
    on_table(at, "right", finger)
    assert at.stage() == 1


@pytest.mark.parametrize("finger", ["left", "right", "both"])
def test_stage_2_touched_by_either_right_finger_in_the_air(at: Placer, finger: str) -> None:
    at.in_gripper("right", "cube", EDGE, only=finger)
    assert at.stage() == 2


@pytest.mark.parametrize("finger", ["left", "right"])
def test_stage_3_touched_by_the_left_hand_on_the_table(at: Placer, finger: str) -> None:
    on_table(at, "left", finger)
    assert at.stage() == 3


@pytest.mark.parametrize("finger", ["left", "right", "both"])
def test_stage_4_touched_by_the_left_hand_in_the_air(at: Placer, finger: str) -> None:
    at.in_gripper("left", "cube", EDGE, only=finger)
    assert at.stage() == 4


def test_all_checks_hold_in_the_left_gripper(at: Placer) -> None:
    at.in_gripper("left", "cube", EDGE)
    assert all(at.checks().values())


def test_success_needs_the_checks_for_a_fifth_of_a_second(at: Placer) -> None:
    at.in_gripper("left", "cube", EDGE)
    at.scene.refresh()
    action = at.env.observe().qpos.astype("float32")
    action[[6, 13]] -= 0.1
    steps = [at.env.step(action) for _ in range(30)]
    streak = 0
    for step in steps:
        streak = streak + 1 if all(step.checks.values()) else 0
        assert step.success is (streak >= 10)
    assert steps[-1].success


@pytest.mark.parametrize("finger", ["left", "right"])
def test_one_finger_does_not_hold(at: Placer, finger: str) -> None:
    at.in_gripper("left", "cube", EDGE, only=finger)
    assert not at.checks()["held by both left fingers"]


@pytest.mark.parametrize("finger", ["left", "right"])
def test_a_right_finger_on_the_cube_is_not_free(at: Placer, finger: str) -> None:
    at.in_gripper("right", "cube", EDGE, only=finger)
    checks = at.checks()
    assert not checks["free of the right gripper"]
    assert not checks["held by both left fingers"]


def test_the_right_palm_counts_as_the_right_gripper(at: Placer) -> None:
    at.prop("cube", at.tool("right") @ Pose.at((-0.06, 0.0, 0.0)))
    assert not at.checks()["free of the right gripper"]


@pytest.mark.parametrize(("height", "high"), [(0.0199, False), (0.068, False), (0.0695, False), (0.0705, True)])
def test_height_counts_from_the_lowest_face(at: Placer, height: float, high: bool) -> None:
    at.prop("cube", Pose.at((0.0, 0.6, height)))
    assert at.checks()["5 cm above the table"] is high


def test_height_counts_from_the_lowest_corner_of_a_tilted_cube(at: Placer) -> None:
    at.prop("cube", Pose.at((0.0, 0.6, 0.0705), quaternion_about((1, 0, 0), 0.78)))
    assert not at.checks()["5 cm above the table"]


@pytest.mark.parametrize(("speed", "still"), [(0.0, True), (0.04, True), (0.06, False)])
def test_rest(at: Placer, speed: float, still: bool) -> None:
    at.prop("cube", AIR)
    at.scene.data.joint("red_box_joint").qvel[0] = speed
    assert at.checks()["nearly at rest"] is still


def test_spin_is_not_rest(at: Placer) -> None:
    at.prop("cube", AIR)
    at.scene.data.joint("red_box_joint").qvel[5] = 1.0
    assert not at.checks()["nearly at rest"]


def test_a_cube_thrown_past_the_left_hand_is_no_success(at: Placer) -> None:
    at.in_gripper("left", "cube", EDGE, only="left")
    at.scene.data.joint("red_box_joint").qvel[0] = 1.0
    at.scene.refresh()
    assert at.stage() == 4
    assert not at.hold_still(30)
