"""Each stage and each check of drawer_put, true and false, in hand-placed states."""

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.drawer_cabinet import BAR, CARTON, HANDLE, INSIDE_LOW, MAX_OPENING
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.aloha.drawer_put import PULLED, SHUT
from ambidex.scripted_policies.arm_motion import tool_orientation

CABINET = (0.0, 0.69, 0.0)
STANDING = INSIDE_LOW[2] + CARTON[2]  # height of a carton in the drawer [m]
WIDTH = 2 * CARTON[0]
PRESSED = 0.0001  # how deep the carton presses on the drawer's floor [m]


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("drawer_put", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    placer.prop("cabinet", Pose.at(CABINET))
    placer.prop("carton", Pose.at((0.2, 0.4, CARTON[2])))
    return placer


def opened(at: Placer, opening: float) -> None:
    at.scene.data.joint("drawer_joint").qpos = opening


def stored(at: Placer, opening: float, x: float = 0.03, z: float = STANDING - PRESSED) -> None:
    """The carton in the drawer, which is open so far [m]."""
    opened(at, opening)
    at.prop("carton", Pose.at(CABINET) @ Pose.at((x, -0.03 - opening, z)))


def at_handle(at: Placer) -> None:
    """The left fingers on the bar of the shut drawer."""
    at.reach("left", Pose(np.array(CABINET) + HANDLE, tool_orientation(0.0, 1.0)))
    at.fingers("left", 2 * BAR[1])


def wait(at: Placer, steps: int) -> None:
    """Hold the arms still, whether that is a success or not."""
    for _ in range(steps):
        at.hold_still(1)


def test_a_shut_drawer_and_a_carton_on_the_table_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0
    opened(at, PULLED - 0.001)
    assert at.stage() == 0


def test_stage_1_drawer_pulled(at: Placer) -> None:
    opened(at, PULLED)
    assert at.stage() == 1


def test_stage_1_carton_held_and_stage_2_both(at: Placer) -> None:
    at.in_gripper("right", "carton", WIDTH)
    assert at.stage() == 1
    opened(at, PULLED)
    assert at.stage() == 2


def test_stage_3_carton_in_the_drawer(at: Placer) -> None:
    stored(at, 0.09)
    assert at.stage() == 3
    stored(at, SHUT + 0.001)
    assert at.stage() == 3


def test_a_carton_above_or_beside_the_drawer_is_not_inside(at: Placer) -> None:
    stored(at, 0.09, z=0.07)
    assert at.stage() == 1
    stored(at, 0.09, x=0.09)
    assert at.stage() == 1
    assert not at.checks()["carton in the drawer"]


def test_stage_4_drawer_shut_by_an_arm_that_still_touches_it(at: Placer) -> None:
    stored(at, 0.0)
    at_handle(at)
    assert at.stage() == 4
    checks = at.checks()
    assert not checks.pop("all released")
    assert all(checks.values())


def test_stage_5_all_released(at: Placer) -> None:
    stored(at, 0.0)
    assert at.stage() == 5
    assert all(at.checks().values())


def test_a_carton_under_a_shut_drawer_is_not_inside(at: Placer) -> None:
    stored(at, 0.0, z=0.0)
    assert at.stage() == 0


@pytest.mark.parametrize(("opening", "shut"), [(SHUT - 0.001, True), (SHUT + 0.001, False)])
def test_the_drawer_has_to_be_shut(at: Placer, opening: float, shut: bool) -> None:
    stored(at, opening)
    assert at.checks()["drawer shut"] is shut


@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_the_drawer_has_to_be_at_rest(at: Placer, speed: float, rests: bool) -> None:
    stored(at, 0.0)
    at.scene.data.joint("drawer_joint").qvel = speed
    assert at.checks()["all at rest"] is rests


def test_a_carton_in_a_shut_drawer_stays_a_success(at: Placer) -> None:
    stored(at, 0.0)
    wait(at, 20)
    assert at.hold_still(5)


def test_a_drawer_that_nothing_holds_shuts_by_itself(at: Placer) -> None:
    opened(at, MAX_OPENING)
    wait(at, 50)
    assert 0.01 < float(at.scene.data.joint("drawer_joint").qpos[0]) < 0.5 * MAX_OPENING
    wait(at, 150)
    assert at.scene.data.joint("drawer_joint").qpos[0] < SHUT
