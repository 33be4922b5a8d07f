"""Each stage and each check of the insertion, true and false, in hand-placed states."""

import math

import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.insertion import peg_in_socket
from ambidex.scripted_policies.arm_motion import tool_orientation

PEG_WIDTH, SOCKET_WIDTH = 0.02, 0.044
SOCKET = Pose.at((-0.05, 0.6, 0.3))
AT_PIN = 0.1  # between the centres when the peg's end meets the pin [m]


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("insertion", cameras=()))
    placer.fingers("left", 0.072)
    placer.fingers("right", 0.072)
    return placer


def both_held(at: Placer, peg_only: str = "both", socket_only: str = "both") -> None:
    at.in_gripper("left", "socket", SOCKET_WIDTH, only=socket_only)
    at.in_gripper("right", "peg", PEG_WIDTH, only=peg_only)


def relative(at: Placer, x: float, y: float = 0.0, z: float = 0.0, turn: float = 0.0, axis: object = (0, 0, 1)) -> None:
    """Socket in the air, the peg's centre at (x, y, z) in its frame, turned about its own inner end."""
    at.prop("socket", SOCKET)
    inner = Pose.at((x - 0.06, y, z), quaternion_about(axis, turn))
    at.prop("peg", SOCKET @ inner @ Pose.at((0.06, 0.0, 0.0)))


def test_nothing_touched_is_no_stage(at: Placer) -> None:
    assert at.stage() == 0


@pytest.mark.parametrize("fingers", [("both", "both"), ("left", "right"), ("right", "left")])
def test_stage_2_both_held_in_the_air_by_any_finger(at: Placer, fingers: tuple[str, str]) -> None:
    both_held(at, *fingers)
    assert at.stage() == 2


@pytest.mark.parametrize("low", ["peg", "socket"])
def test_stage_1_both_touched_while_one_lies_on_the_table(at: Placer, low: str) -> None:
    both_held(at)
    arm, heading, x, half_height, width = {
        "peg": ("right", math.pi, 0.15, 0.01, PEG_WIDTH),
        "socket": ("left", 0.0, -0.15, 0.022, SOCKET_WIDTH),
    }[low]
    at.prop(low, Pose.at((x, 0.5, half_height - 0.0001)))
    at.reach(arm, Pose.at((x, 0.5, 0.027), tool_orientation(heading, math.pi / 2)))
    at.fingers(arm, width)
    assert at.stage() == 1


@pytest.mark.parametrize("part", ["peg", "socket"])
def test_one_part_touched_is_no_stage(at: Placer, part: str) -> None:
    both_held(at)
    at.prop(part, Pose.at((0.0, 0.8, 0.4)))
    assert at.stage() == 0


def test_stage_3_peg_on_a_wall_in_the_air(at: Placer) -> None:
    relative(at, 0.11, z=0.0081)
    assert at.stage() == 3


def test_peg_on_a_wall_on_the_table_is_not_stage_3(at: Placer) -> None:
    at.prop("socket", Pose.at((-0.05, 0.6, 0.0219)))
    at.prop("peg", Pose.at((0.06, 0.6, 0.0219 - 0.0081)))
    assert at.stage() == 0


def test_stage_4_peg_at_the_pin(at: Placer) -> None:
    relative(at, AT_PIN - 0.0001)
    assert at.stage() == 4
    relative(at, AT_PIN + 0.001)
    assert at.stage() == 0


@pytest.mark.parametrize("flip", [0.0, math.pi])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_either_end_of_either_part_counts(at: Placer, flip: float, side: float) -> None:
    at.prop("socket", SOCKET)
    half_turn = Pose.at((0, 0, 0), quaternion_about((0, 0, 1), flip))
    at.prop("peg", SOCKET @ Pose.at((side * (AT_PIN - 0.0001), 0.0, 0.0)) @ half_turn)
    at.scene.refresh()
    end, angle = peg_in_socket(at.scene)
    assert abs(end[0]) == pytest.approx(0.0399, abs=1e-9)
    assert angle == pytest.approx(0.0, abs=1e-6)
    assert at.checks()["peg end at the pin"]


@pytest.mark.parametrize(
    ("gap", "there"),
    [
        (-0.0001, True),
        (0.0005, False),
        (0.02, False),
        (0.2, False),
        (-0.0019, True),
        (-0.0021, False),
        (-0.04, False),
    ],
)
def test_peg_end_at_the_pin(at: Placer, gap: float, there: bool) -> None:
    relative(at, AT_PIN + gap)
    assert at.checks()["peg end at the pin"] is there


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 1, 0)])
@pytest.mark.parametrize(("degrees", "aligned"), [(0.0, True), (9.5, True), (10.5, False), (45.0, False)])
def test_axes_within_10_degrees(at: Placer, axis: object, degrees: float, aligned: bool) -> None:
    relative(at, AT_PIN, turn=math.radians(degrees), axis=axis)
    assert at.checks()["axes within 10 degrees"] is aligned


@pytest.mark.parametrize(
    ("y", "z", "centred"), [(0.0, 0.0, True), (0.0079, 0.0, True), (0.0, 0.0081, False), (0.006, 0.006, False)]
)
def test_axes_within_8_mm(at: Placer, y: float, z: float, centred: bool) -> None:
    relative(at, AT_PIN, y=y, z=z)
    assert at.checks()["axes within 8 mm"] is centred


@pytest.mark.parametrize("finger", ["left", "right"])
def test_one_finger_does_not_hold(at: Placer, finger: str) -> None:
    both_held(at)
    assert at.checks()["peg held by the right gripper"]
    assert at.checks()["socket held by the left gripper"]
    both_held(at, peg_only=finger)
    assert not at.checks()["peg held by the right gripper"]
    both_held(at, socket_only=finger)
    assert not at.checks()["socket held by the left gripper"]


@pytest.mark.parametrize(("part", "half_height"), [("peg", 0.01), ("socket", 0.022)])
def test_off_the_table(at: Placer, part: str, half_height: float) -> None:
    relative(at, AT_PIN)
    assert at.checks()["both off the table"]
    at.prop(part, Pose.at((0.3, 0.7, half_height - 0.0001)))
    assert not at.checks()["both off the table"]


def test_a_peg_pushed_in_on_the_table_is_act_stage_4_but_no_success(at: Placer) -> None:
    at.prop("socket", Pose.at((-0.05, 0.6, 0.0219)))
    at.prop("peg", Pose.at((0.0499, 0.6, 0.0219)))
    assert at.stage() == 4
    assert not all(at.checks().values())
