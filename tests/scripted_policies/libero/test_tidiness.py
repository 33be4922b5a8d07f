"""Experts leave bowls and mugs upright, keep the palm off what they place, and do not drop objects from high up."""

import sys

import numpy as np
import pytest
from tidiness import deepest_contacts, largest_tilt

from ambidex.envs.env import make
from ambidex.envs.registry import SUITES
from ambidex.envs.rollout import rollout
from ambidex.scripted_policies.registry import make_expert

INTO_DRAWER, BOWL_ON_PLATE = ("libero_goal/3", 1), ("libero_goal/8", 0)
BOWL_ON_BOWL = ("libero_90/KITCHEN_SCENE2_stack_the_black_bowl_at_the_front_on_the_black_bowl_in_the_middle", 2)
MUGS_ON_PLATES = ("libero_10/4", 0)
INTO_TRAY = ("libero_90/LIVING_ROOM_SCENE4_pick_up_the_black_bowl_on_the_left_and_put_it_in_the_tray", 0)
SEEDS = range(1000, 1004)


def measure(task: str, seed: int) -> tuple[bool, float, float, float]:
    """Success, the largest tilt [degrees], and the depths of `deepest_contacts` [mm] of an episode."""
    env = make(task, cameras=())
    result = rollout(env, make_expert(env), seed, stop_at_success=True)
    tilt = largest_tilt(env)
    palm, objects = deepest_contacts(env, result.states)
    env.close()
    return result.success, tilt, 1000 * palm, 1000 * objects


@pytest.mark.parametrize(("task", "seed"), [INTO_DRAWER, BOWL_ON_PLATE, BOWL_ON_BOWL, MUGS_ON_PLATES, INTO_TRAY])
def test_objects_are_set_down_upright_without_deep_contact(task: str, seed: int) -> None:
    success, tilt, palm, objects = measure(task, seed)
    assert success
    assert tilt < 5.0
    assert palm < 1.0
    assert objects < 1.0


@pytest.mark.slow
def test_few_objects_are_left_tilted_and_few_contacts_are_deep() -> None:
    everything = []
    for suite in (suite for suite in SUITES if suite.startswith("libero")):
        measured = np.array([measure(task, seed) for task in SUITES[suite] for seed in SEEDS])
        success, tilt, palm, objects = measured.T
        sys.stdout.write(
            f"\n{suite}: {int(success.sum())} of {len(measured)} succeed; bowl or mug tilted by more than 10 degrees: "
            f"{(tilt > 10).sum()}; palm deeper than 1 mm: {(palm > 1).sum()} (deepest {palm.max():.1f} mm); "
            f"an object deeper than 1 mm: {(objects > 1).sum()} (deepest {objects.max():.1f} mm)\n"
        )
        everything.append(measured)
    _, tilt, palm, objects = np.concatenate(everything).T
    assert (tilt > 10).mean() <= 0.01
    assert (palm > 1).mean() <= 0.03
    assert (objects > 1).mean() <= 0.1 and objects.max() < 4.0
