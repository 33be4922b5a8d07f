"""Open, Close, TurnOn and TurnOff, on both sides of their limits."""

import numpy as np
import pytest
from handmade_world import NUDGE, World

from ambidex.envs.tasks.libero.goals.predicates import JOINT_STATES, joint_state
from ambidex.errors import UsageError


@pytest.fixture
def world() -> World:
    return World()


ONE_JOINT = [
    ("open", "microwave_1", "microwave_1_microjoint", -1.3 - NUDGE, -1.3),
    ("close", "microwave_1", "microwave_1_microjoint", -0.005 + NUDGE, -0.005),
    ("turnon", "flat_stove_1", "flat_stove_1_button", 0.5, 0.5 - NUDGE),
    ("turnoff", "flat_stove_1", "flat_stove_1_button", -NUDGE, 0.0),
    ("open", "wooden_cabinet_1_top_region", "wooden_cabinet_1_top_level", -0.14 - NUDGE, -0.14),
    ("close", "wooden_cabinet_1_top_region", "wooden_cabinet_1_top_level", NUDGE, 0.0),
    ("open", "wooden_cabinet_1_middle_region", "wooden_cabinet_1_middle_level", -0.14 - NUDGE, -0.14),
]


@pytest.mark.parametrize(("predicate", "name", "joint", "true", "false"), ONE_JOINT)
def test_a_joint_has_the_limit_of_libero(
    world: World, predicate: str, name: str, joint: str, true: float, false: float
) -> None:
    world.move(joint, true)
    assert world.says(predicate, name)
    world.move(joint, false)
    assert not world.says(predicate, name)


def test_another_drawer_does_not_count(world: World) -> None:
    world.move("wooden_cabinet_1_middle_level", -0.15)
    assert not world.says("open", "wooden_cabinet_1_top_region")
    assert not world.says("close", "wooden_cabinet_1_middle_region")


def test_a_cabinet_is_open_with_one_drawer_and_closed_with_all(world: World) -> None:
    drawers = [f"wooden_cabinet_1_{name}_level" for name in ("top", "middle", "bottom")]
    for drawer in drawers:
        assert not world.says("close", "wooden_cabinet_1")
        world.move(drawer, 0.005)
    assert world.says("close", "wooden_cabinet_1") and not world.says("open", "wooden_cabinet_1")
    world.move(drawers[1], -0.15)
    assert world.says("open", "wooden_cabinet_1") and not world.says("close", "wooden_cabinet_1")


@pytest.mark.parametrize("predicate", JOINT_STATES)
def test_what_starts_in_a_state_is_in_it(predicate: str) -> None:
    """All but the ends of the interval themselves, where LIBERO compares strictly."""
    for state in JOINT_STATES[predicate].values():
        low, high = state.start
        assert all(state.holds([low + share * (high - low)]) for share in (0.001, 0.5, 0.999))


def test_opposites_never_hold_together() -> None:
    for one, other in (("open", "close"), ("turnon", "turnoff")):
        for category, state in JOINT_STATES[one].items():
            opposite = JOINT_STATES[other][category]
            assert not any(state.holds([q]) and opposite.holds([q]) for q in np.linspace(-2.2, 2.2, 4401))


def test_a_state_that_a_category_has_not_is_refused() -> None:
    with pytest.raises(UsageError, match="open cannot be said of a plate, only of: wooden_cabinet"):
        joint_state("open", "plate")
