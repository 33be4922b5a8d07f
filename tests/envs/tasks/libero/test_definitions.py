"""Our definitions of LIBERO's 130 tasks have the content of LIBERO's."""

import json
from collections import Counter
from pathlib import Path

import pytest
from definition_digest import digest

from ambidex.envs.arenas.libero import arena_of
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.tasks.libero.bddl.names import WORKSPACES
from ambidex.envs.tasks.libero.bddl.problem import Problem
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.goals.predicates import JOINT_STATES
from ambidex.envs.tasks.libero.suites import DEFINITIONS, HORIZONS, find_definition, tasks_of_suite

DIGESTS = Path(__file__).parents[3] / "data" / "libero_definitions.json"
SIZES = {"libero_spatial": 10, "libero_object": 10, "libero_goal": 10, "libero_10": 10, "libero_90": 90}


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    return {name: read_problem(find_definition(name).path) for suite in SIZES for name in tasks_of_suite(suite)}


def test_there_are_130_definitions_and_no_other_file(problems: dict[str, Problem]) -> None:
    assert {suite: len(tasks_of_suite(suite)) for suite in SIZES} == SIZES
    assert set(HORIZONS) == set(SIZES)
    files = {path.relative_to(DEFINITIONS).with_suffix("").as_posix() for path in DEFINITIONS.rglob("*.bddl")}
    assert files == set(problems)


def test_regions_match_libero(problems: dict[str, Problem]) -> None:
    regions = [region for problem in problems.values() for region in problem.regions.values()]
    assert len(regions) == 1132
    assert sum(len(region.ranges) for region in regions) == 731
    assert sum(region.yaw is not None for region in regions) == 501


def test_atoms_match_libero(problems: dict[str, Problem]) -> None:
    goal = Counter(atom.predicate for problem in problems.values() for atom in problem.goal)
    assert goal == {"in": 63, "on": 61, "close": 11, "turnon": 8, "open": 7, "turnoff": 1}
    init = Counter(atom.predicate for problem in problems.values() for atom in problem.init)
    assert init == {"on": 647, "open": 22, "turnon": 3, "close": 3, "in": 1}


def test_problem_classes_match_libero(problems: dict[str, Problem]) -> None:
    def count(suite: str) -> Counter[str]:
        return Counter(problems[name].workspace for name in tasks_of_suite(suite))

    assert count("libero_spatial") == count("libero_goal") == {"main_table": 10}
    assert count("libero_object") == {"floor": 10}
    assert count("libero_10") == {"living_room_table": 5, "kitchen_table": 4, "study_table": 1}
    assert count("libero_90") == {"kitchen_table": 46, "living_room_table": 27, "study_table": 17}


def test_goal_sizes_match_libero(problems: dict[str, Problem]) -> None:
    def count(suite: str) -> Counter[int]:
        return Counter(len(problems[name].goal) for name in tasks_of_suite(suite))

    assert count("libero_spatial") == count("libero_object") == count("libero_goal") == {1: 10}
    assert count("libero_10") == {1: 1, 2: 8, 3: 1}
    assert count("libero_90") == {1: 79, 2: 11}


def test_libero_90_has_74_instructions() -> None:
    assert len({find_definition(name).instruction for name in tasks_of_suite("libero_90")}) == 74


def test_state_sizes_match_libero(problems: dict[str, Problem]) -> None:
    """Objects times 13 numbers, 2 for each of a cabinet's drawers and a stove's knob, 19 for time and robot."""
    joints = {"wooden_cabinet": 3, "flat_stove": 1, "wine_rack": 0}

    def size(problem: Problem) -> int:
        return 19 + 13 * len(problem.objects) + 2 * sum(joints[kind] for kind in problem.fixtures.values())

    assert {size(problems[name]) for name in tasks_of_suite("libero_spatial")} == {92}
    assert {size(problems[name]) for name in tasks_of_suite("libero_object")} == {110}
    assert {size(problems[name]) for name in tasks_of_suite("libero_goal")} == {79}


@pytest.mark.parametrize("problem", WORKSPACES)
def test_every_problem_class_has_an_arena(problem: str) -> None:
    assert arena_of(problem).workspace == WORKSPACES[problem][0]


def test_categories_with_joint_states_have_joints() -> None:
    for states in JOINT_STATES.values():
        assert all(object_properties(category).joints for category in states)


def test_every_definition_has_the_content_of_liberos(problems: dict[str, Problem]) -> None:
    """Digests of the content of LIBERO's 130 files were made from a fact sheet, not from our files."""
    assert {name: digest(problem) for name, problem in problems.items()} == json.loads(DIGESTS.read_text())
