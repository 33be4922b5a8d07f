"""Each stage and each check of stack_both, true and false, in hand-placed states."""

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.aloha.stack_both import HALF_EDGE

EDGE = 2 * HALF_EDGE
PRESSED = 0.0001  # how deep cubes on each other press [m]


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("stack_both", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    for x, colour in ((0.3, "red"), (-0.3, "blue"), (0.15, "green")):
        placer.prop(colour, Pose.at((x, 0.6, HALF_EDGE)))
    return placer


def stack(at: Placer, *colours: str, x: float = 0.0, shift: float = 0.0) -> None:
    """Cubes on each other, each shifted along x against the one below it."""
    for level, colour in enumerate(colours):
        at.prop(colour, Pose.at((x + level * shift, 0.6, HALF_EDGE + level * (EDGE - PRESSED))))


def test_cubes_on_their_sides_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_stage_1_any_cube_held(at: Placer, colour: str) -> None:
    at.in_gripper("right", colour, EDGE)
    assert at.stage() == 1


def test_stage_2_base_released_in_the_middle(at: Placer) -> None:
    stack(at, "red", x=0.1)
    assert at.stage() == 2
    stack(at, "red", x=0.13)
    assert at.stage() == 0


def test_stage_3_second_cube_held(at: Placer) -> None:
    stack(at, "red")
    at.in_gripper("left", "green", EDGE)
    assert at.stage() == 3


def test_another_cube_held_is_not_stage_3(at: Placer) -> None:
    stack(at, "red")
    at.in_gripper("left", "blue", EDGE)
    assert at.stage() == 2


def test_stage_4_and_5_second_and_third_cube_placed(at: Placer) -> None:
    stack(at, "red", "green")
    assert at.stage() == 4
    stack(at, "red", "green", "blue")
    assert at.stage() == 5


def test_a_stack_in_another_order_is_not_the_goal(at: Placer) -> None:
    stack(at, "red", "blue", "green")
    assert at.stage() == 2
    checks = at.checks()
    assert not checks["green on red"]
    assert not checks["blue on green"]


def test_all_checks_hold_for_a_stack(at: Placer) -> None:
    stack(at, "red", "green", "blue", shift=0.014)
    assert all(at.checks().values())


def test_a_stack_stands_still(at: Placer) -> None:
    stack(at, "red", "green", "blue", shift=0.005)
    assert [at.hold_still(1) for _ in range(12)] == [False] * 9 + [True] * 3  # success needs 10 steps


def test_a_shifted_cube_is_not_on_the_one_below(at: Placer) -> None:
    stack(at, "red", "green", "blue", shift=0.016)
    checks = at.checks()
    assert not checks["green on red"]
    assert not checks["blue on green"]


def test_a_cube_in_the_air_is_not_on_the_one_below(at: Placer) -> None:
    stack(at, "red", "green", "blue")
    at.prop("blue", Pose.at((0.0, 0.6, HALF_EDGE + 2 * EDGE + 0.003)))
    assert not at.checks()["blue on green"]


def test_a_stack_beside_the_middle_does_not_count(at: Placer) -> None:
    stack(at, "red", "green", "blue", x=0.13)
    assert not at.checks()["red in the middle"]


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_a_cube_that_is_touched_is_not_released(at: Placer, colour: str) -> None:
    at.in_gripper("right", colour, EDGE, only="left")
    assert not at.checks()["all released"]


@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_a_cube_that_moves_is_not_at_rest(at: Placer, speed: float, rests: bool) -> None:
    stack(at, "red", "green", "blue")
    joint = at.scene.model.body("blue").jntadr[0]
    at.scene.data.joint(int(joint)).qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["all at rest"] is rests
