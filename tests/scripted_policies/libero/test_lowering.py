"""A thing is lowered as far as it goes, in few looks."""

import numpy as np
import pytest
from bowl_and_plate import PLACE, THING, probe_of, started

from ambidex.envs.env import Environment
from ambidex.scripted_policies.libero.lookahead.collision import Probe
from ambidex.scripted_policies.libero.lookahead.resting import COARSE, FINE, Lowering


@pytest.fixture(scope="module")
def env() -> Environment:
    return started()


@pytest.fixture
def probe(env: Environment) -> Probe:
    return probe_of(env)


def test_a_thing_is_lowered_as_if_step_by_step(env: Environment, probe: Probe) -> None:
    above = env.scene.body_pose(f"{PLACE}_main").shifted((0.0, 0.0, 0.16))
    height = Lowering(probe).rest_height(THING, above, 0.4, PLACE)
    few = probe.queries
    assert height is not None
    sunk = above.position[2] - height
    assert not any(probe.touches(THING, above.shifted((0.0, 0.0, -s))) for s in np.arange(0.0, sunk + 1e-9, FINE))
    assert probe.touches(THING, above.shifted((0.0, 0.0, -sunk - FINE)))
    assert few < sunk / COARSE


def test_what_rests_on_something_else_than_its_support_has_no_height(env: Environment, probe: Probe) -> None:
    above = env.scene.body_pose(f"{PLACE}_main").shifted((0.0, 0.0, 0.16))
    assert Lowering(probe).rest_height(THING, above, 0.4, "") is None
    assert Lowering(probe).rest_height(THING, above, 0.05) is None


def test_what_has_been_moved_since_is_seen(env: Environment, probe: Probe) -> None:
    above, lowering = env.scene.body_pose(f"{PLACE}_main").shifted((0.0, 0.0, 0.16)), Lowering(probe)
    height = lowering.rest_height(THING, above, 0.4)
    assert height is not None
    probe.place(PLACE, env.scene.body_pose(f"{PLACE}_main").shifted((0.0, 0.0, 0.05)))
    assert lowering.rest_height(THING, above, 0.4) == pytest.approx(height + 0.05, abs=2 * FINE)
    probe.renew()
    assert lowering.rest_height(THING, above, 0.4) == height
