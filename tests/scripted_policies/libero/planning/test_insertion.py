"""Insertion paths fit their opening, and so does the hand."""

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.geometry import DOWN, box_corners, hand_orientation
from ambidex.scripted_policies.libero.planning.grasps import all_grasps, has_rim
from ambidex.scripted_policies.libero.planning.insertion import hand_fits, insertion_paths
from ambidex.scripted_policies.libero.planning.openings import Opening, find_opening
from ambidex.scripted_policies.libero.skills.insert import tipping_paths

PAN_ON_SHELF, BOOK_ON_SHELF, MUG_INTO_MICROWAVE = "libero_90/40", "libero_90/86", "libero_10/9"
SHELF, MUG = "wooden_two_layer_shelf_1", "white_yellow_mug"


def opening_of(task: str, region: str) -> Opening | None:
    env = make(task, cameras=())
    env.reset(0)
    assert isinstance(env.task, LiberoTask)
    (frame,) = SkillContext(env.scene, env.task).frames(region)
    return find_opening(env.scene, frame)


@pytest.fixture(scope="module")
def microwave() -> Opening:
    opening = opening_of(MUG_INTO_MICROWAVE, "microwave_1_heating_region")
    assert opening is not None
    return opening


@pytest.mark.parametrize(("task", "outwards"), [(PAN_ON_SHELF, (0, 1, 0)), (BOOK_ON_SHELF, (0, -1, 0))])
def test_a_layer_of_the_shelf_is_open_in_front(task: str, outwards: tuple[float, ...]) -> None:
    opening = opening_of(task, f"{SHELF}_top_region")
    assert opening is not None
    np.testing.assert_allclose(opening.outwards, outwards, atol=0.02)
    assert opening.roof - opening.floor == pytest.approx(0.2041 - 0.0693, abs=1e-4)
    assert opening.outside(opening.centre) < 0.0 < opening.outside(opening.centre + 0.2 * opening.outwards)


def test_a_region_open_at_the_top_has_no_opening() -> None:
    assert opening_of(PAN_ON_SHELF, f"{SHELF}_top_side") is None
    assert opening_of("libero_object/0", "basket_1_contain_region") is None


def test_objects_go_in_upright_if_they_fit_and_otherwise_lying() -> None:
    top, bottom = (opening_of(BOOK_ON_SHELF, f"{SHELF}_{layer}_region") for layer in ("top", "bottom"))
    assert top is not None and bottom is not None
    assert {round(float(goal.axis(2)[2])) for goal, _ in insertion_paths("yellow_book", top)} == {0, 1}
    assert {round(float(goal.axis(2)[2])) for goal, _ in insertion_paths("black_book", top)} == {0}
    assert not list(insertion_paths("yellow_book", bottom))
    assert all(bottom.outside(goal.position) > 0.0 for goal, _ in tipping_paths("yellow_book", bottom))


def test_a_path_starts_outside_and_ends_inside_with_the_same_orientation() -> None:
    opening = opening_of(PAN_ON_SHELF, f"{SHELF}_top_region")
    assert opening is not None
    for goal, entry in insertion_paths("chefmate_8_frypan", opening):
        assert abs(np.dot(goal.position - opening.centre, opening.outwards)) < opening.inner
        assert opening.outside(entry.position) > opening.outside(goal.position)
        np.testing.assert_allclose(entry.quaternion, goal.quaternion)


def test_an_object_behind_a_door_stands_upright_and_does_not_stick_out(microwave: Opening) -> None:
    paths = list(insertion_paths(MUG, microwave, behind_door=True))
    assert 0 < len(paths) < len(list(insertion_paths(MUG, microwave)))
    for goal, _ in paths:
        corners = goal.position + box_corners(MUG, goal.quaternion)
        assert goal.axis(2)[2] > 0.999
        assert max(microwave.outside(corner) for corner in corners) < 0.0


def test_a_mug_can_also_be_grasped_by_its_handle() -> None:
    assert {grasp.part for grasp in all_grasps(MUG)} == {"rim", "handle"}
    assert "handle" not in {grasp.part for grasp in all_grasps("white_bowl")}
    assert has_rim(MUG) and not has_rim("black_book")


def test_a_tilted_hand_fits_under_the_roof_and_a_vertical_one_does_not(microwave: Opening) -> None:
    position = microwave.centre + (microwave.front - 0.02) * microwave.outwards
    tilted = hand_orientation(np.array(DOWN) - microwave.outwards, microwave.aside)
    assert hand_fits(Pose(position, tilted), microwave)
    assert not hand_fits(Pose(position, hand_orientation(DOWN, microwave.aside)), microwave)
    assert not hand_fits(Pose(position - 0.1 * microwave.outwards, tilted), microwave)
