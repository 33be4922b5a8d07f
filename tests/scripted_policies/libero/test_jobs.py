"""Goal atoms become jobs in an order that works."""

from collections.abc import Mapping

import pytest

from ambidex.envs.tasks.libero.bddl.problem import Atom, Problem, Region
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.suites import HORIZONS, find_definition, task_names
from ambidex.errors import UsageError
from ambidex.scripted_policies.libero.subgoals import Job, Work, check_goal, jobs, lid_of

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


def order(*goal: Atom, holding: tuple[Atom, ...] = (), opened: tuple[str, ...] = ()) -> list[tuple[Work, str]]:
    found: tuple[Job, ...] = jobs(problem(*goal), lambda atom: atom in holding, lambda lid: lid in opened)
    return [(job.work, job.thing) for job in found]


def test_a_drawer_is_opened_before_and_closed_after() -> None:
    goal = (Atom("close", (TOP,)), Atom("in", ("bowl_1", TOP)))
    expected = [
        (Work.OPEN, "wooden_cabinet_1_top_level"),
        (Work.PUT, "bowl_1"),
        (Work.CLOSE, "wooden_cabinet_1_top_level"),
    ]
    assert order(*goal) == expected
    assert order(*goal, holding=goal[:1]) == expected
    assert order(*goal, opened=("wooden_cabinet_1_top_level",)) == expected[1:]


def test_a_drawer_asked_to_be_open_is_opened_once() -> None:
    assert order(Atom("in", ("bowl_1", TOP)), Atom("open", (TOP,))) == [
        (Work.OPEN, "wooden_cabinet_1_top_level"),
        (Work.PUT, "bowl_1"),
    ]


def test_a_drawer_nothing_goes_into_is_closed_first() -> None:
    goal = (Atom("on", ("bowl_1", "wooden_cabinet_1_top_side")), Atom("open", (TOP,)), Atom("close", (BOTTOM,)))
    assert [work for work, _ in order(*goal)] == [Work.CLOSE, Work.OPEN, Work.PUT]


def test_what_holds_is_left_alone() -> None:
    on = Atom("turnon", ("flat_stove_1",))
    assert order(on, Atom("on", ("bowl_1", "flat_stove_1_cook_region")), holding=(on,)) == [(Work.PUT, "bowl_1")]
    assert order(on, holding=(on,)) == []


def test_a_support_is_put_before_what_stands_on_it() -> None:
    goal = (Atom("on", ("bowl_1", "bowl_2")), Atom("in", ("bowl_2", "wooden_tray_1_contain_region")))
    assert order(*goal) == [(Work.PUT, "bowl_2"), (Work.PUT, "bowl_1")]


def test_things_that_support_each_other_do_not_hang_the_planner() -> None:
    assert len(order(Atom("on", ("bowl_1", "bowl_2")), Atom("on", ("bowl_2", "bowl_1")))) == 2


@pytest.mark.parametrize(
    ("name", "lid"),
    [
        (TOP, "wooden_cabinet_1_top_level"),
        ("wooden_cabinet_1_top_side", None),
        ("microwave_1_heating_region", "microwave_1_microjoint"),
        ("microwave_1", "microwave_1_microjoint"),
        ("microwave_1_top_side", None),
        ("flat_stove_1_cook_region", None),
    ],
)
def test_which_joint_opens_what(name: str, lid: str | None) -> None:
    assert lid_of(problem(), name) == lid


@pytest.mark.parametrize(
    ("atom", "says"),
    [
        (Atom("up", ("bowl_1",)), r"cannot reach up\(bowl_1\) in test: it has no job for up"),
        (Atom("close", ("wooden_cabinet_1",)), "name a drawer by its region, such as wooden_cabinet_1_top_region"),
        (Atom("open", ("wooden_cabinet_1",)), "wooden_cabinet_1 is not one drawer or door"),
        (Atom("on", ("microwave_1", "bowl_1")), "microwave_1 is a fixture, which stays where it is"),
    ],
)
def test_a_goal_without_a_job_is_refused(atom: Atom, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_goal(problem(Atom("on", ("bowl_1", "bowl_2")), atom))


def test_every_goal_of_liberos_has_a_job() -> None:
    for suite in HORIZONS:
        for name in task_names(suite):
            check_goal(read_problem(find_definition(name).path))


def test_a_knob_may_be_named_by_a_region_of_the_stove() -> None:
    assert order(Atom("turnon", ("flat_stove_1_cook_region",))) == [(Work.TURN_ON, "flat_stove_1_button")]
