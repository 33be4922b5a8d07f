"""Goal atoms become subgoals in an order that works."""

from collections.abc import Mapping

import pytest

from ambidex.envs.tasks.libero.bddl.problem import Atom, Problem, Region
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.suites import HORIZONS, find_definition, tasks_of_suite
from ambidex.errors import UsageError
from ambidex.scripted_policies.libero.subgoals import SubgoalKind, check_goal, opening_joint, ordered_subgoals

FIXTURES = {"wooden_cabinet_1": "wooden_cabinet", "microwave_1": "microwave", "flat_stove_1": "flat_stove"}
SITES = {
    "wooden_cabinet_1": ("top_region", "bottom_region", "top_side"),
    "microwave_1": ("heating_region", "top_side"),
    "flat_stove_1": ("cook_region",),
}
REGIONS: Mapping[str, Region] = {
    f"{target}_{site}": Region(name=f"{target}_{site}", target=target)
    for target, sites in SITES.items()
    for site in sites
}
TOP = "wooden_cabinet_1_top_region"
BOTTOM = "wooden_cabinet_1_bottom_region"
BOWL_ON_BOWL = Atom("on", ("bowl_1", "bowl_2"))


def problem(*goal: Atom) -> Problem:
    return Problem(
        name="test",
        problem="libero_kitchen_tabletop_manipulation",
        workspace="kitchen_table",
        language="",
        regions=REGIONS,
        fixtures=FIXTURES,
        objects={"bowl_1": "akita_black_bowl", "bowl_2": "akita_black_bowl", "wooden_tray_1": "wooden_tray"},
        obj_of_interest=(),
        init=(),
        goal=goal,
        source="test",
        sha256="",
    )


def order(*goal: Atom, holding: tuple[Atom, ...] = (), opened: tuple[str, ...] = ()) -> list[tuple[SubgoalKind, str]]:
    subgoals = ordered_subgoals(problem(*goal), lambda atom: atom in holding, lambda joint: joint in opened)
    return [(subgoal.kind, subgoal.target) for subgoal in subgoals]


def test_a_drawer_is_opened_before_an_object_goes_in_and_closed_afterwards() -> None:
    goal = (Atom("close", (TOP,)), Atom("in", ("bowl_1", TOP)))
    expected = [
        (SubgoalKind.OPEN, "wooden_cabinet_1_top_level"),
        (SubgoalKind.PUT, "bowl_1"),
        (SubgoalKind.CLOSE, "wooden_cabinet_1_top_level"),
    ]
    assert order(*goal) == expected
    assert order(*goal, holding=goal[:1]) == expected
    assert order(*goal, opened=("wooden_cabinet_1_top_level",)) == expected[1:]


def test_a_drawer_that_the_goal_wants_open_is_opened_once() -> None:
    assert order(Atom("in", ("bowl_1", TOP)), Atom("open", (TOP,))) == [
        (SubgoalKind.OPEN, "wooden_cabinet_1_top_level"),
        (SubgoalKind.PUT, "bowl_1"),
    ]


def test_a_drawer_that_nothing_goes_into_is_closed_first() -> None:
    goal = (Atom("on", ("bowl_1", "wooden_cabinet_1_top_side")), Atom("open", (TOP,)), Atom("close", (BOTTOM,)))
    assert [kind for kind, _ in order(*goal)] == [SubgoalKind.CLOSE, SubgoalKind.OPEN, SubgoalKind.PUT]


def test_atoms_that_hold_have_no_subgoal() -> None:
    on = Atom("turnon", ("flat_stove_1",))
    put = Atom("on", ("bowl_1", "flat_stove_1_cook_region"))
    assert order(on, put, holding=(on,)) == [(SubgoalKind.PUT, "bowl_1")]
    assert order(on, holding=(on,)) == []


def test_a_support_is_put_before_the_object_that_stands_on_it() -> None:
    goal = (BOWL_ON_BOWL, Atom("in", ("bowl_2", "wooden_tray_1_contain_region")))
    assert order(*goal) == [(SubgoalKind.PUT, "bowl_2"), (SubgoalKind.PUT, "bowl_1")]


def test_objects_that_support_each_other_do_not_cause_an_endless_loop() -> None:
    assert len(order(BOWL_ON_BOWL, Atom("on", ("bowl_2", "bowl_1")))) == 2


def test_a_knob_may_be_named_by_a_region_of_the_stove() -> None:
    assert order(Atom("turnon", ("flat_stove_1_cook_region",))) == [(SubgoalKind.TURN_ON, "flat_stove_1_button")]


@pytest.mark.parametrize(
    ("name", "joint"),
    [
        (TOP, "wooden_cabinet_1_top_level"),
        ("wooden_cabinet_1_top_side", None),
        ("microwave_1_heating_region", "microwave_1_microjoint"),
        ("microwave_1", "microwave_1_microjoint"),
        ("microwave_1_top_side", None),
        ("flat_stove_1_cook_region", None),
    ],
)
def test_the_joint_that_opens_a_region_or_fixture(name: str, joint: str | None) -> None:
    assert opening_joint(problem(), name) == joint


@pytest.mark.parametrize(
    "atom",
    [
        Atom("up", ("bowl_1",)),
        Atom("close", ("wooden_cabinet_1",)),
        Atom("open", ("wooden_cabinet_1",)),
        Atom("on", ("microwave_1", "bowl_1")),
    ],
)
def test_a_goal_that_no_skill_reaches_raises(atom: Atom) -> None:
    with pytest.raises(UsageError) as error:
        check_goal(problem(BOWL_ON_BOWL, atom))
    assert error.value.facts["got"] == str(atom)
    assert atom.arguments[0] in error.value.problem


def test_a_cabinet_instead_of_a_drawer_raises_with_the_name_of_a_drawer() -> None:
    with pytest.raises(UsageError, match="such as wooden_cabinet_1_top_region"):
        check_goal(problem(Atom("open", ("wooden_cabinet_1",))))


def test_every_goal_of_the_libero_suites_can_be_reached() -> None:
    for suite in HORIZONS:
        for name in tasks_of_suite(suite):
            check_goal(read_problem(find_definition(name).path))
