"""Initial states against those that LIBERO stores: 50 for each of its 130 tasks."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray

DATA = json.loads((Path(__file__).parents[4] / "data" / "libero_initial_states.json").read_text())
BOOKS = ("black_book", "yellow_book")
ONE_OF_EACH_SUITE = ("libero_spatial/4", "libero_object/0", "libero_goal/0", "libero_10/0", "libero_90/0")


@pytest.mark.parametrize("category", DATA["orientation"])
def test_the_orientation_of_a_category_is_that_of_the_stored_states(category: str) -> None:
    stored, ours = DATA["orientation"][category], object_properties(category)
    if category in BOOKS:  # drawn from a range of yaws
        w, x, y, z = stored["quaternion"]
        low, high = ours.initial_yaw
        assert stored["distinct"] > 1 and (x, y) == (0.0, 0.0)
        assert low - 0.02 <= 2.0 * np.arctan2(z, w) <= high + 0.02
    else:
        assert stored["distinct"] == 1 and ours.initial_yaw == (0.0, 0.0)
        assert np.round(ours.initial_orientation, 2).tolist() == stored["quaternion"]


@pytest.mark.parametrize(
    "task", [*ONE_OF_EACH_SUITE, *(pytest.param(task, marks=pytest.mark.slow) for task in DATA["range"])]
)
def test_objects_have_this_orientation_in_their_scenes(task: str) -> None:
    env = make(task, cameras=())
    env.reset(100_000)
    for name, category in env.task.problem.objects.items():
        if category not in BOOKS:
            quaternion = env.scene.body_pose(body_name(name)).quaternion
            assert abs(quaternion @ object_properties(category).initial_orientation) > np.cos(np.radians(1.5))


@pytest.mark.parametrize(
    "task", [*ONE_OF_EACH_SUITE[:2], *(pytest.param(task, marks=pytest.mark.slow) for task in DATA["range"])]
)
def test_positions_have_the_range_of_the_stored_states(task: str) -> None:
    """Of 100 draws and 50 stored ones from one distribution, over 28 lie beyond an extreme of the stored ones with a
    probability of 2e-6; all tasks together have 3,352 extremes.
    """
    env = make(task, cameras=())
    stored = DATA["range"][env.spec.task]
    draws = np.array([_positions(env, seed, stored) for seed in range(100)])  # (100, objects, 2)
    low, high = np.split(np.array(list(stored.values())), 2, axis=1)
    rounding = 1e-4
    assert ((draws < low - rounding).sum(axis=0) <= 28).all()
    assert ((draws > high + rounding).sum(axis=0) <= 28).all()
    assert (np.ptp(draws, axis=0) >= 0.8 * (high - low) - rounding).all()


def _positions(env: Environment, seed: int, names: Iterable[str]) -> list[FloatArray]:
    env.reset(seed)
    return [env.scene.body_pose(body_name(name)).position[:2] for name in names]
