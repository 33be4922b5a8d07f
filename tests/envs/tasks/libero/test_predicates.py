"""Every predicate in every form, true and false, on both sides of its limits, in models made by hand."""

import math

import mujoco
import numpy as np
import pytest

from ambidex.envs.errors import UsageError
from ambidex.envs.tasks.libero.joint_states import JOINT_STATES, joint_state
from ambidex.envs.tasks.libero.model_world import ModelWorld
from ambidex.envs.tasks.libero.predicates import all_hold, holds
from ambidex.envs.tasks.libero.problem import Atom
from ambidex.envs.tasks.libero.reader import parse_problem

NUDGE = 1e-6  # from a limit [m or rad]
ORIGIN, REGION_Z = (-0.2, 0.0), 0.867  # of the study
SITE_HALF = (0.03, 0.05, 0.02)

DEFINITION = """
(define (problem LIBERO_Study_Tabletop_Manipulation)
  (:regions
    (spot (:target study_table) (:ranges ((0.1 -0.2 0.2 0.2))))
    (two_spots (:target study_table) (:ranges ((0.1 -0.2 0.2 0.2) (0.3 0.0 0.4 0.1))))
    (home (:target study_table) (:ranges ((-0.1 -0.1 0.1 0.1))))
    (contain_region (:target basket_1))
    (top_side (:target wooden_cabinet_1))
    (top_region (:target wooden_cabinet_1)) (middle_region (:target wooden_cabinet_1)))
  (:fixtures study_table - study_table wooden_cabinet_1 - wooden_cabinet
             microwave_1 - microwave flat_stove_1 - flat_stove)
  (:objects milk_1 - milk basket_1 - basket)
  (:init (On milk_1 study_table_home) (On basket_1 study_table_home) (On wooden_cabinet_1 study_table_home)
         (On microwave_1 study_table_home) (On flat_stove_1 study_table_home))
  (:goal (And (On milk_1 study_table_spot))))
"""
MODEL = """
<mujoco>
  <worldbody>
    <body name="milk_1_main"><freejoint name="milk_1_joint0"/><geom size="0.01" mass="1"/></body>
    <body name="basket_1_main">
      <freejoint name="basket_1_joint0"/><geom size="0.01" mass="1"/>
      <site name="basket_1_contain_region" type="box" pos="0.1 0.02 0.03" size="0.03 0.05 0.02"/>
    </body>
    <body name="wooden_cabinet_1_main" mocap="true">
      <site name="wooden_cabinet_1_top_side" type="box" size="0.03 0.05 0.02"/>
      <body name="top">
        <joint name="wooden_cabinet_1_top_level" type="slide"/><geom size="0.01" mass="1"/>
        <site name="wooden_cabinet_1_top_region" type="box" size="0.03 0.05 0.02"/>
      </body>
      <body name="middle"><joint name="wooden_cabinet_1_middle_level" type="slide"/><geom size="0.01" mass="1"/></body>
      <body name="bottom"><joint name="wooden_cabinet_1_bottom_level" type="slide"/><geom size="0.01" mass="1"/></body>
    </body>
    <body name="microwave_1_main" mocap="true">
      <body name="door"><joint name="microwave_1_microjoint"/><geom size="0.01" mass="1"/></body>
    </body>
    <body name="flat_stove_1_main" mocap="true">
      <body name="knob"><joint name="flat_stove_1_button"/><geom size="0.01" mass="1"/></body>
    </body>
  </worldbody>
</mujoco>
"""


class World(ModelWorld):
    """A world to be arranged by hand; what touches what is said, not simulated."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(MODEL)
        self.data = mujoco.MjData(self.model)
        self.contacts: set[frozenset[str]] = set()
        super().__init__(
            model=self.model,
            data=self.data,
            problem=parse_problem(DEFINITION),
            origin=ORIGIN,
            region_z=REGION_Z,
            in_contact=lambda a, b: frozenset((a, b)) in self.contacts,
        )

    def touch(self, a: str, b: str) -> None:
        self.contacts.add(frozenset((f"{a}_main", f"{b}_main")))

    def put(self, thing: str, position: object, yaw: float = 0.0) -> None:
        turned = [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
        self.data.joint(f"{thing}_joint0").qpos = [*np.asarray(position, dtype=float), *turned]
        mujoco.mj_kinematics(self.model, self.data)

    def move(self, joint: str, position: float) -> None:
        self.data.joint(joint).qpos = position
        mujoco.mj_kinematics(self.model, self.data)

    def says(self, predicate: str, *arguments: str) -> bool:
        return holds(self, Atom(predicate, arguments))


@pytest.fixture
def world() -> World:
    return World()


def on_basket(world: World, offset: tuple[float, float, float]) -> bool:
    world.touch("basket_1", "milk_1")
    world.put("basket_1", (0.3, 0.2, 0.5))
    world.put("milk_1", np.add((0.3, 0.2, 0.5), offset))
    return world.says("on", "milk_1", "basket_1")


def test_on_a_thing_needs_contact(world: World) -> None:
    world.put("basket_1", (0, 0, 0))
    world.put("milk_1", (0, 0, 0.1))
    assert not world.says("on", "milk_1", "basket_1")
    world.touch("milk_1", "basket_1")
    assert world.says("on", "milk_1", "basket_1")


def test_on_a_thing_needs_the_origin_not_lower(world: World) -> None:
    assert on_basket(world, (0, 0, 0)) and on_basket(world, (0, 0, 5.0))
    assert not on_basket(world, (0, 0, -NUDGE))


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0, 4.0])
def test_on_a_thing_needs_origins_within_three_centimetres(world: World, angle: float) -> None:
    near, far = 0.03 - NUDGE, 0.03 + NUDGE
    assert on_basket(world, (near * math.cos(angle), near * math.sin(angle), 0.02))
    assert not on_basket(world, (far * math.cos(angle), far * math.sin(angle), 0.02))


def test_on_a_fixture_is_on_a_thing(world: World) -> None:
    world.put("milk_1", (0.01, 0.0, 0.2))
    assert not world.says("on", "milk_1", "wooden_cabinet_1")
    world.touch("wooden_cabinet_1", "milk_1")
    assert world.says("on", "milk_1", "wooden_cabinet_1")


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
    assert not world.says("on", "milk_1", "wooden_cabinet_1_top_side")
    world.touch("milk_1", "wooden_cabinet_1")
    assert world.says("on", "milk_1", "wooden_cabinet_1_top_side") == inside


@pytest.mark.parametrize(("point", "inside"), SITE_WINDOW)
def test_on_a_site_moves_with_the_thing(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.touch("milk_1", "basket_1")
    world.put("basket_1", (1.0, -2.0, 0.5))
    world.put("milk_1", np.add((1.1, -1.98, 0.53), point))
    assert world.says("on", "milk_1", "basket_1_contain_region") == inside


def test_on_a_site_turns_by_the_rotation_and_not_by_its_inverse(world: World) -> None:
    """LIBERO's quirk: a point is inside if R (p - c) is, so a site turned by 45 degrees is felt turned by -45."""
    yaw = math.pi / 4
    world.touch("milk_1", "basket_1")
    world.put("basket_1", (0.0, 0.0, 0.0), yaw)
    centre = world.data.site("basket_1_contain_region").xpos
    along_y = np.array([0.0, 0.045, 0.05])  # in the site's own axes: inside, x being narrow
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
    world.put("milk_1", centre + turn @ along_y)
    assert not world.says("on", "milk_1", "basket_1_contain_region")
    world.put("milk_1", centre + turn.T @ along_y)
    assert world.says("on", "milk_1", "basket_1_contain_region")


def zone(low: tuple[float, float], high: tuple[float, float]) -> list[tuple[tuple[float, ...], bool]]:
    lower = (low[0] + ORIGIN[0], low[1] + ORIGIN[1], REGION_Z + 0.002)
    return limits(lower, (high[0] + ORIGIN[0], high[1] + ORIGIN[1], REGION_Z + 0.107))


@pytest.mark.parametrize(("point", "inside"), zone((0.1, -0.2), (0.2, 0.2)))
def test_on_a_region_of_the_table_needs_no_contact(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.put("milk_1", point)
    assert world.says("on", "milk_1", "study_table_spot") == inside
    assert world.says("on", "milk_1", "study_table_two_spots") == inside


@pytest.mark.parametrize(("point", "inside"), zone((0.3, 0.0), (0.4, 0.1)))
def test_any_rectangle_of_a_region_will_do(world: World, point: tuple[float, ...], inside: bool) -> None:
    world.put("milk_1", point)
    assert world.says("on", "milk_1", "study_table_two_spots") == inside
    assert not world.says("on", "milk_1", "study_table_spot")


@pytest.mark.parametrize(("point", "inside"), limits((-0.03, -0.05, -0.03), (0.03, 0.05, 0.02)))
def test_in_a_site_is_a_point_in_a_box_with_a_centimetre_below(
    world: World, point: tuple[float, ...], inside: bool
) -> None:
    world.put("basket_1", (1.0, -2.0, 0.5))
    world.put("milk_1", np.add((1.1, -1.98, 0.53), point))
    assert world.says("in", "milk_1", "basket_1_contain_region") == inside


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
        assert world.says("in", "milk_1", "basket_1_contain_region") == inside


def test_in_a_drawer_follows_the_drawer(world: World) -> None:
    world.put("milk_1", (0.0, 0.0, -0.1))
    assert world.says("in", "milk_1", "wooden_cabinet_1_top_region") is False
    world.move("wooden_cabinet_1_top_level", -0.1)
    assert world.says("in", "milk_1", "wooden_cabinet_1_top_region")


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


def test_up_is_a_height_in_the_world(world: World) -> None:
    world.put("milk_1", (0, 0, 1.0))
    assert world.says("up", "milk_1")
    world.put("milk_1", (0, 0, 1.0 - NUDGE))
    assert not world.says("up", "milk_1")


def test_and_needs_every_atom(world: World) -> None:
    world.put("milk_1", (0, 0, 2.0))
    world.move("flat_stove_1_button", 1.0)
    up, on = Atom("up", ("milk_1",)), Atom("turnon", ("flat_stove_1",))
    off = Atom("turnoff", ("flat_stove_1",))
    assert all_hold(world, (up, on)) and all_hold(world, ())
    assert not all_hold(world, (up, off)) and not all_hold(world, (off, on))


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
