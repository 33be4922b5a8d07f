"""Covered places are found, ways into them fit, and the skills that use them work."""

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import poses_between
from ambidex.scripted_policies.libero.planning.insert import ways_in
from ambidex.scripted_policies.libero.planning.openings import Opening, find_opening
from ambidex.scripted_policies.libero.skills.insert import leaning
from ambidex.scripted_policies.registry import make_expert

PAN_ON_SHELF, PAN_UNDER = "libero_90/40", "libero_90/42"
BOOK_ON_SHELF, BOOK_UNDER = "libero_90/86", "libero_90/89"
SHELF = "wooden_two_layer_shelf_1"


def opening(task: str, region: str) -> Opening | None:
    env = make(task, cameras=())
    env.reset(0)
    return opening_of(env, region)


def opening_of(env: Environment, region: str) -> Opening | None:
    assert isinstance(env.task, LiberoTask)
    (frame,) = Workplace(env.scene, env.task).frames(region)
    return find_opening(env.scene.model, env.scene.data, frame)


@pytest.mark.parametrize(("task", "outwards"), [(PAN_ON_SHELF, (0, 1, 0)), (BOOK_ON_SHELF, (0, -1, 0))])
def test_a_layer_of_the_shelf_is_open_in_front(task: str, outwards: tuple[float, ...]) -> None:
    found = opening(task, f"{SHELF}_top_region")
    assert found is not None
    np.testing.assert_allclose(found.outwards, outwards, atol=0.02)
    assert found.roof - found.floor == pytest.approx(0.2041 - 0.0693, abs=1e-4)
    assert found.outside(found.centre) < 0.0 < found.outside(found.centre + 0.2 * found.outwards)


def test_what_lies_open_above_is_no_opening() -> None:
    assert opening(PAN_ON_SHELF, f"{SHELF}_top_side") is None
    assert opening("libero_object/0", "basket_1_contain_region") is None


def test_things_go_in_upright_where_they_fit_and_lying_where_not() -> None:
    top, bottom = (opening(BOOK_ON_SHELF, f"{SHELF}_{layer}_region") for layer in ("top", "bottom"))
    assert top is not None and bottom is not None
    assert {round(float(goal.axis(2)[2])) for goal, _ in ways_in("yellow_book", top)} == {0, 1}
    assert {round(float(goal.axis(2)[2])) for goal, _ in ways_in("black_book", top)} == {0}
    assert not list(ways_in("yellow_book", bottom))
    assert all(bottom.outside(goal.position) > 0.0 for goal, _ in leaning("yellow_book", bottom))


def test_a_way_in_begins_outside_and_ends_inside() -> None:
    found = opening(PAN_ON_SHELF, f"{SHELF}_top_region")
    assert found is not None
    for goal, doorway in ways_in("chefmate_8_frypan", found):
        assert abs(np.dot(goal.position - found.centre, found.outwards)) < found.inner
        assert found.outside(doorway.position) > found.outside(goal.position)
        np.testing.assert_allclose(doorway.quaternion, goal.quaternion)


def test_poses_between_end_at_the_end() -> None:
    env = make(PAN_ON_SHELF, cameras=())
    env.reset(0)
    start, end = (env.scene.body_pose(f"{thing}_main") for thing in ("white_bowl_1", SHELF))
    way = poses_between(start, end, 3)
    np.testing.assert_allclose(way[-1].position, end.position)
    np.testing.assert_allclose(abs(np.dot(way[-1].quaternion, end.quaternion)), 1.0)
    np.testing.assert_allclose(way[0].position, start.position + (end.position - start.position) / 3)


@pytest.mark.parametrize("task", [PAN_ON_SHELF, PAN_UNDER, BOOK_ON_SHELF, BOOK_UNDER])
def test_the_skills_solve_their_tasks(task: str) -> None:
    env = make(task, cameras=())
    expert = make_expert(env)
    assert sum(rollout(env, expert, seed, stop_at_success=True).success for seed in range(3)) >= 2
