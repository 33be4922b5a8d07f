"""Each stage and each check of pour_beads, true and false, in hand-placed states; the initial state."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.cups import CUP_HEIGHT, FOOT, INNER_RADIUS, WALL
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.pour_beads import BEAD_PLACES, BEADS, ENOUGH, PourBeads, beads_inside
from ambidex.scripted_policies.arm_motion import tool_orientation

OUTER_WIDTH = 2 * (INNER_RADIUS + WALL)
CUPS = {"source": Pose.at((0.12, 0.5, -0.0001)), "target": Pose.at((-0.12, 0.5, -0.0001))}
GRASP = {"source": ("right", math.pi), "target": ("left", 0.0)}


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("pour_beads", cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    fill(placer, 0)
    return placer


def fill(at: Placer, poured: int, **cups: Pose) -> None:
    """The cups, the first beads in the blue one and the others in the red one."""
    places = {**CUPS, **cups}
    for name, pose in places.items():
        at.prop(name, pose)
    for number, (bead, place) in enumerate(zip(BEADS, BEAD_PLACES, strict=True)):
        at.prop(bead, places["target" if number < poured else "source"] @ Pose.at(place))


def hold(at: Placer, *names: str, lifted: float = 0.0) -> None:
    fill(at, 0, **{name: CUPS[name].shifted((0.0, 0.0, lifted)) for name in names})
    for name in names:
        arm, heading = GRASP[name]
        middle = CUPS[name].position + np.array([0.0, 0.0, 0.045 + lifted])
        at.reach(arm, Pose(middle, tool_orientation(heading, math.radians(20.0))))
        at.fingers(arm, OUTER_WIDTH)


def test_cups_that_stand_there_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0


@pytest.mark.parametrize("name", ["source", "target"])
def test_one_cup_held_is_no_stage(at: Placer, name: str) -> None:
    hold(at, name)
    assert at.stage() == 0


def test_stage_1_both_held_and_2_both_lifted(at: Placer) -> None:
    hold(at, "source", "target")
    assert at.stage() == 1
    hold(at, "source", "target", lifted=0.05)
    assert at.stage() == 2


@pytest.mark.parametrize(("poured", "stage"), [(0, 2), (1, 3), (9, 3), (10, 4), (12, 4)])
def test_stage_3_and_4_by_the_beads_in_the_blue_cup(at: Placer, poured: int, stage: int) -> None:
    hold(at, "source", "target", lifted=0.05)
    fill(at, poured, **{name: pose.shifted((0.0, 0.0, 0.05)) for name, pose in CUPS.items()})
    assert at.stage() == stage


@pytest.mark.parametrize(("poured", "stage"), [(ENOUGH - 1, 4), (ENOUGH, 5)])
def test_stage_5_enough_beads_and_both_cups_put_down(at: Placer, poured: int, stage: int) -> None:
    fill(at, poured)
    assert at.stage() == stage


@pytest.mark.parametrize("poured", [ENOUGH, len(BEADS)])
def test_all_checks_hold_after_the_task(at: Placer, poured: int) -> None:
    fill(at, poured)
    assert all(at.checks().values())
    assert [at.hold_still(1) for _ in range(12)][-1]


def test_a_bead_too_few_does_not_count(at: Placer) -> None:
    fill(at, ENOUGH - 1)
    assert not at.checks()["11 of 12 beads in the blue cup"]


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ((0.0, 0.0, CUP_HEIGHT - 0.001), True),
        ((0.0, 0.0, CUP_HEIGHT + 0.001), False),
        ((INNER_RADIUS - 0.001, 0.0, 0.04), True),
        ((INNER_RADIUS + 0.001, 0.0, 0.04), False),
        ((0.0, 0.0, -0.001), False),
    ],
)
@pytest.mark.parametrize("degrees", [0.0, 60.0])
def test_a_bead_is_inside_by_its_centre_in_a_tilted_cup_too(
    at: Placer, place: tuple[float, float, float], inside: bool, degrees: float
) -> None:
    cup = Pose(np.array([-0.12, 0.5, 0.2]), quaternion_about((1.0, 0.0, 0.0), math.radians(degrees)))
    fill(at, 0, target=cup)
    at.prop(BEADS[0], cup @ Pose.at(place))
    at.scene.refresh()
    assert beads_inside(at.scene, "target") == int(inside)


@pytest.mark.parametrize("name", ["source", "target"])
@pytest.mark.parametrize(("degrees", "upright"), [(9.0, True), (11.0, False)])
def test_a_tilted_cup_does_not_stand(at: Placer, name: str, degrees: float, upright: bool) -> None:
    angle = math.radians(degrees)
    edge = CUPS[name].shifted((0.0, 0.0, FOOT * math.sin(angle)))
    fill(at, 12, **{name: edge @ Pose.at((0, 0, 0), quaternion_about((1, 0, 0), angle))})
    assert at.checks()["both cups upright on the table"] is upright


def test_a_cup_in_the_air_does_not_stand(at: Placer) -> None:
    fill(at, 12, source=CUPS["source"].shifted((0.0, 0.0, 0.01)))
    assert not at.checks()["both cups upright on the table"]
    assert at.stage() == 4


@pytest.mark.parametrize("name", ["source", "target"])
def test_a_held_cup_is_not_released(at: Placer, name: str) -> None:
    hold(at, name)
    fill(at, 12)
    assert not at.checks()["both cups released"]
    assert at.stage() == 4


@pytest.mark.parametrize("name", ["source", "target"])
def test_a_moving_cup_is_not_at_rest(at: Placer, name: str) -> None:
    fill(at, 12)
    at.scene.data.joint(f"{name}_joint").qvel[0] = 0.06
    assert not at.checks()["both cups at rest"]


@pytest.mark.parametrize("spread", ["published", "wide"])
def test_episodes_begin_with_all_beads_at_rest_in_the_red_cup(spread: str) -> None:
    env = make("pour_beads", cameras=(), spread=spread)
    for seed in range(3):
        env.reset(seed)
        assert beads_inside(env.scene, "source") == len(BEADS)
        before = env.scene.body_poses(BEADS).reshape(-1, 7)[:, :3]
        env.scene.advance(50)
        after = env.scene.body_poses(BEADS).reshape(-1, 7)[:, :3]
        assert np.abs(after - before).max() < 1e-4


def test_object_poses_tell_whether_the_beads_are_poured(at: Placer) -> None:
    at.stage()
    before = at.scene.body_poses(PourBeads().object_names)
    fill(at, 12)
    at.stage()
    after = at.scene.body_poses(PourBeads().object_names)
    assert not np.allclose(before, after, atol=0.05)
