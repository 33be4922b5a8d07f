"""All predicates, true and false, on both sides of their limits, in a hand-made model."""

import math

import numpy as np
import pytest
from handmade_world import NUDGE, ORIGIN, REGION_Z, SITE_HALF, World

from ambidex.envs.tasks.libero.goals.predicates import JOINT_STATES, joint_state
from ambidex.errors import UsageError


@pytest.fixture
def world() -> World:
    return World()


def on_basket(world: World, offset: tuple[float, float, float]) -> bool:
    world.touch("basket_1", "milk_1")
    world.put("basket_1", (0.3, 0.2, 0.5))
    world.put("milk_1", np.add((0.3, 0.2, 0.5), offset))
    return world.holds("on", "milk_1", "basket_1")


def test_on_an_object_needs_contact(world: World) -> None:
    world.put("basket_1", (0, 0, 0))
    world.put("milk_1", (0, 0, 0.1))
    assert not world.holds("on", "milk_1", "basket_1")
    world.touch("milk_1", "basket_1")
    assert world.holds("on", "milk_1", "basket_1")


def test_on_an_object_needs_the_origin_not_lower(world: World) -> None:
    assert on_basket(world, (0, 0, 0)) and on_basket(world, (0, 0, 5.0))
    assert not on_basket(world, (0, 0, -NUDGE))


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0, 4.0])
def test_on_an_object_needs_origins_within_three_centimetres(world: World, angle: float) -> None:
    near, far = 0.03 - NUDGE, 0.03 + NUDGE
    assert on_basket(world, (near * math.cos(angle), near * math.sin(angle), 0.02))
    assert not on_basket(world, (far * math.cos(angle), far * math.sin(angle), 0.02))


def test_on_a_fixture_follows_the_rule_for_objects(world: World) -> None:
    world.put("milk_1", (0.01, 0.0, 0.2))
    assert not world.holds("on", "milk_1", "wooden_cabinet_1")
    world.touch("wooden_cabinet_1", "milk_1")
    assert world.holds("on", "milk_1", "wooden_cabinet_1")


def limits(low: tuple[float, float, float], high: tuple[float, float, float]) -> list[tuple[tuple[float, ...], bool]]:
    """Points just inside and just outside each face of a box, and whether they are inside."""
    middle = (np.array(low) + high) / 2
    cases = []
    for axis in range(3):
        for face, outwards in ((low, -1), (high, 1)):
            for sign in (-1, 1):
                point = middle.copy()
                point[axis] = face[axis] + sign * NUDGE
                cases.append((tuple(point), sign != outwards))
    return cases


SITE_WINDOW = limits((-0.03, -0.05, 0.015), (0.03, 0.05, 0.12))


@pytest.mark.parametrize(("point", "inside"), SITE_WINDOW)
def test_on_a_site_has_the_window_of_libero(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.put("milk_1", point)
    assert not world.holds("on", "milk_1", "wooden_cabinet_1_top_side")
    world.touch("milk_1", "wooden_cabinet_1")
    assert world.holds("on", "milk_1", "wooden_cabinet_1_top_side") == inside


@pytest.mark.parametrize(("point", "inside"), SITE_WINDOW)
def test_on_a_site_moves_with_the_object(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.touch("milk_1", "basket_1")
    world.put("basket_1", (1.0, -2.0, 0.5))
    world.put("milk_1", np.add((1.1, -1.98, 0.53), point))
    assert world.holds("on", "milk_1", "basket_1_contain_region") == inside


def test_on_a_site_turns_by_the_rotation_and_not_by_its_inverse(world: World) -> None:
    """LIBERO's peculiarity: the test is R (p - c), so a site rotated by 45 degrees counts as rotated by -45."""
    yaw = math.pi / 4
    world.touch("milk_1", "basket_1")
    world.put("basket_1", (0.0, 0.0, 0.0), yaw)
    centre = world.data.site("basket_1_contain_region").xpos
    along_y = np.array([0.0, 0.045, 0.05])  # in the site's own axes: inside, x being narrow
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
    world.put("milk_1", centre + turn @ along_y)
    assert not world.holds("on", "milk_1", "basket_1_contain_region")
    world.put("milk_1", centre + turn.T @ along_y)
    assert world.holds("on", "milk_1", "basket_1_contain_region")


def zone(low: tuple[float, float], high: tuple[float, float]) -> list[tuple[tuple[float, ...], bool]]:
    lower = (low[0] + ORIGIN[0], low[1] + ORIGIN[1], REGION_Z + 0.002)
    return limits(lower, (high[0] + ORIGIN[0], high[1] + ORIGIN[1], REGION_Z + 0.107))


@pytest.mark.parametrize(("point", "inside"), zone((0.1, -0.2), (0.2, 0.2)))
def test_on_a_region_of_the_table_needs_no_contact(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.put("milk_1", point)
    assert world.holds("on", "milk_1", "study_table_spot") == inside
    assert world.holds("on", "milk_1", "study_table_two_spots") == inside


@pytest.mark.parametrize(("point", "inside"), zone((0.3, 0.0), (0.4, 0.1)))
def test_any_rectangle_of_a_region_counts(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.put("milk_1", point)
    assert world.holds("on", "milk_1", "study_table_two_spots") == inside
    assert not world.holds("on", "milk_1", "study_table_spot")


@pytest.mark.parametrize(("point", "inside"), limits((-0.03, -0.05, -0.03), (0.03, 0.05, 0.02)))
def test_in_a_site_is_a_point_in_a_box_with_a_centimetre_below(
    world: World, point: tuple[float, ...], inside: bool
) -> None:
    world.put("basket_1", (1.0, -2.0, 0.5))
    world.put("milk_1", np.add((1.1, -1.98, 0.53), point))
    assert world.holds("in", "milk_1", "basket_1_contain_region") == inside


@pytest.mark.parametrize("yaw", [math.pi / 2, math.radians(30), math.radians(-30)])
def test_in_a_turned_site_is_in_the_box_of_its_turned_half_size(world: World, yaw: float) -> None:
    """Not the box around the turned site: |R s|, not |R| s. At 30 degrees the two turns differ."""
    world.put("basket_1", (0.0, 0.0, 0.0), yaw)
    centre = world.data.site("basket_1_contain_region").xpos.copy()
    reach = [
        abs(math.cos(yaw) * SITE_HALF[0] - math.sin(yaw) * SITE_HALF[1]),
        abs(math.sin(yaw) * SITE_HALF[0] + math.cos(yaw) * SITE_HALF[1]),
    ]
    low, high = (-reach[0], -reach[1], -SITE_HALF[2] - 0.01), (reach[0], reach[1], SITE_HALF[2])
    for point, inside in limits(low, high):
        world.put("milk_1", centre + point)
        assert world.holds("in", "milk_1", "basket_1_contain_region") == inside


def test_in_a_drawer_follows_the_drawer(world: World) -> None:
    world.put("milk_1", (0.0, 0.0, -0.1))
    assert world.holds("in", "milk_1", "wooden_cabinet_1_top_region") is False
    world.move("wooden_cabinet_1_top_level", -0.1)
    assert world.holds("in", "milk_1", "wooden_cabinet_1_top_region")


def test_up_is_a_height_in_the_world(world: World) -> None:
    world.put("milk_1", (0, 0, 1.0))
    assert world.holds("up", "milk_1")
    world.put("milk_1", (0, 0, 1.0 - NUDGE))
    assert not world.holds("up", "milk_1")


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
def test_joint_predicates_have_liberos_limits(
    world: World, predicate: str, name: str, joint: str, true: float, false: float
) -> None:
    world.move(joint, true)
    assert world.holds(predicate, name)
    world.move(joint, false)
    assert not world.holds(predicate, name)


def test_another_drawer_does_not_count(world: World) -> None:
    world.move("wooden_cabinet_1_middle_level", -0.15)
    assert not world.holds("open", "wooden_cabinet_1_top_region")
    assert not world.holds("close", "wooden_cabinet_1_middle_region")


def test_a_cabinet_is_open_with_one_drawer_and_closed_with_all(world: World) -> None:
    drawers = [f"wooden_cabinet_1_{name}_level" for name in ("top", "middle", "bottom")]
    for drawer in drawers:
        assert not world.holds("close", "wooden_cabinet_1")
        world.move(drawer, 0.005)
    assert world.holds("close", "wooden_cabinet_1") and not world.holds("open", "wooden_cabinet_1")
    world.move(drawers[1], -0.15)
    assert world.holds("open", "wooden_cabinet_1") and not world.holds("close", "wooden_cabinet_1")


@pytest.mark.parametrize("predicate", JOINT_STATES)
def test_initial_joint_positions_are_in_their_state(predicate: str) -> None:
    """Except at the ends of the interval, where LIBERO compares strictly."""
    for state in JOINT_STATES[predicate].values():
        low, high = state.initial
        assert all(state.holds([low + share * (high - low)]) for share in (0.001, 0.5, 0.999))


def test_opposites_never_hold_together() -> None:
    for one, other in (("open", "close"), ("turnon", "turnoff")):
        for category, state in JOINT_STATES[one].items():
            opposite = JOINT_STATES[other][category]
            assert not any(state.holds([q]) and opposite.holds([q]) for q in np.linspace(-2.2, 2.2, 4401))


def test_a_category_without_the_state_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        joint_state("open", "plate")
    assert caught.value.facts == {"got": "plate", "expected": list(JOINT_STATES["open"])}
