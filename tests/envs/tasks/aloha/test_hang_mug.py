"""Each stage and each check of hang_mug, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.mug_tree import HOLE, PEG_LENGTH, peg_ends
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.hang_mug import peg_in_handle
from ambidex.scripted_policies.arm_motion import tool_orientation

TREE = Pose.at((-0.05, 0.5, -0.0001))
ACROSS = quaternion_about((0, 0, 1), -math.pi / 2)
TOUCHING = 0.0164  # from the middle of the opening up to where the handle rests on the peg [m]


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("hang_mug", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    placer.prop("mug_tree", TREE)
    placer.prop("mug", Pose.at((0.2, 0.5, -0.0001)))
    return placer


def hang(at: Placer, distance: float = 0.035, below: float = TOUCHING, aside: float = 0.0) -> None:
    """The mug upright with the peg through its handle, shifted down and sideways from the middle [m]."""
    start, end = peg_ends()
    on_axis = TREE @ Pose.at(start + distance * (end - start) / PEG_LENGTH)
    hole = Pose(on_axis.position, ACROSS) @ Pose.at((aside, 0.0, -below))
    at.prop("mug", hole @ Pose.at((-HOLE[0], 0.0, -HOLE[1])))


def hold_stand(at: Placer) -> None:
    at.reach("left", Pose(np.array([-0.05, 0.5, 0.06]), tool_orientation(0.0, math.radians(25.0))))
    at.fingers("left", 0.02)


def hold_mug(at: Placer) -> None:
    """In the air, by its wall."""
    at.prop("mug", at.tool("right") @ Pose.at((0.0, 0.0, -0.03)))
    at.fingers("right", 0.056)


def test_mug_and_stand_apart_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_and_2_stand_held_and_mug_lifted(at: Placer) -> None:
    hold_stand(at)
    assert at.stage() == 1
    hold_mug(at)
    assert at.stage() == 2


def test_a_lifted_mug_without_the_stand_is_no_stage(at: Placer) -> None:
    hold_mug(at)
    assert at.stage() == 0


def test_stage_3_peg_through_the_handle_without_contact(at: Placer) -> None:
    hang(at, below=0.0)
    assert at.stage() == 3
    hang(at, distance=PEG_LENGTH + 0.01)
    assert at.stage() == 0


def test_stage_4_mug_hangs(at: Placer) -> None:
    hang(at)
    assert at.stage() == 4


@pytest.mark.parametrize(("aside", "inside"), [(0.011, True), (-0.011, True), (0.013, False), (-0.013, False)])
def test_the_peg_beside_the_opening_is_not_in_the_handle(at: Placer, aside: float, inside: bool) -> None:
    hang(at, below=0.0, aside=aside)
    at.scene.refresh()
    assert peg_in_handle(at.scene) is inside


def test_a_hanging_mug_comes_to_rest_and_is_a_success(at: Placer) -> None:
    hang(at)
    steps = [at.hold_still(1) for _ in range(250)]
    assert not steps[8]
    assert all(steps[-10:])
    assert all(at.checks().values())


def test_a_mug_on_the_table_does_not_hang(at: Placer) -> None:
    assert not at.checks()["mug hangs"]
    assert not at.checks()["peg through the handle"]


def test_a_mug_beside_the_peg_without_contact_does_not_hang(at: Placer) -> None:
    hang(at, below=0.0)
    assert not at.checks()["mug hangs"]


@pytest.mark.parametrize(("degrees", "upright"), [(9.0, True), (11.0, False)])
def test_a_tilted_stand_is_not_upright(at: Placer, degrees: float, upright: bool) -> None:
    angle = math.radians(degrees)
    raised = Pose.at((-0.05, 0.5, 0.055 * math.sin(angle) - 0.0002))
    at.prop("mug_tree", raised @ Pose.at((0, 0, 0), quaternion_about((1, 0, 0), angle)))
    assert at.checks()["stand upright on the table"] is upright


@pytest.mark.parametrize("hold", [hold_stand, hold_mug])
def test_what_is_held_is_not_released(at: Placer, hold: object) -> None:
    assert at.checks()["both released"]
    hold(at)  # type: ignore[operator]
    assert not at.checks()["both released"]


@pytest.mark.parametrize("body", ["mug", "mug_tree"])
def test_what_moves_is_not_at_rest(at: Placer, body: str) -> None:
    joint = int(at.scene.model.body(body).jntadr[0])
    at.scene.data.joint(joint).qvel[0] = 0.06
    assert not at.checks()["both at rest"]
