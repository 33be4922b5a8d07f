"""Names of LIBERO's tasks: aliases, order, instructions, and errors for unknown names."""

from pathlib import Path

import pytest

from ambidex.envs.tasks.libero.suites import find_definition, instruction, is_libero_name, tasks_of_suite
from ambidex.errors import DefinitionError, UnknownNameError, UsageError


@pytest.mark.parametrize(
    ("alias", "instruction", "horizon"),
    [
        (
            "libero_spatial/0",
            "pick up the black bowl between the plate and the ramekin and place it on the plate",
            220,
        ),
        ("libero_spatial/9", "pick up the black bowl on the wooden cabinet and place it on the plate", 220),
        ("libero_object/3", "pick up the bbq sauce and place it in the basket", 280),
        ("libero_goal/0", "open the middle drawer of the cabinet", 300),
        ("libero_goal/9", "put the wine bottle on the rack", 300),
        ("libero_10/2", "turn on the stove and put the moka pot on it", 520),
        ("libero_90/0", "close the top drawer of the cabinet", 400),
        ("libero_90/89", "pick up the book on the right and place it under the cabinet shelf", 400),
    ],
)
def test_a_number_is_the_index_in_the_benchmark(alias: str, instruction: str, horizon: int) -> None:
    found = find_definition(alias)
    assert (found.instruction, found.horizon) == (instruction, horizon)
    assert find_definition(found.name) == found and found.path.is_file()
    assert found.name == f"{found.suite}/{found.path.stem}" and alias == f"{found.suite}/{found.index}"
    assert tasks_of_suite(found.suite)[found.index] == found.name


def test_the_instruction_leaves_out_the_scene() -> None:
    assert instruction("KITCHEN_SCENE10_close_the_drawer") == "close the drawer"
    assert instruction("LIVING_ROOM_SCENE2_put_it_in_the_basket") == "put it in the basket"
    assert instruction("put_the_bowl_on_the_stove") == "put the bowl on the stove"


def test_a_users_file_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wipe_the_table.bddl").write_text("")
    monkeypatch.chdir(tmp_path)
    found = find_definition("wipe_the_table.bddl")
    assert found.name == str(tmp_path / "wipe_the_table.bddl") and find_definition(found.name) == found
    assert (found.suite, found.instruction, found.horizon) == ("", "wipe the table", 600)


def test_a_symbolic_link_may_point_to_a_file_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "content").write_text("")
    (tmp_path / "wipe_the_table.bddl").symlink_to(tmp_path / "content")
    found = find_definition(str(tmp_path / "sub" / ".." / "wipe_the_table.bddl"))
    assert found.name == str(tmp_path / "wipe_the_table.bddl") and find_definition(found.name) == found
    assert found.instruction == "wipe the table"


def test_libero_names_are_recognised_by_their_form() -> None:
    assert is_libero_name("libero_goal/1") and is_libero_name("libero_goal/nothing") and is_libero_name("/tmp/a.bddl")
    assert not is_libero_name("transfer_cube")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("libero_goal/put_the_bowl_on_stove", "Did you mean 'libero_goal/put_the_bowl_on_the_stove'"),
        ("libero_goal/10", "numbered from 0 to 9"),
        ("libero_goal/-1", "Unknown task '-1'"),
        ("libero_goal/", "Name one of them, such as libero_goal/0"),
        ("libero_goal", "is a suite of 10 tasks"),
        ("libero_goal/../libero_goal/turn_on_the_stove", "Unknown task"),
        ("libero_goal/" + "9" * 10_000, "Unknown task"),
    ],
)
def test_an_unknown_task_is_refused(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find_definition(name)


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'libero_goal'"):
        tasks_of_suite("libero_goals")


@pytest.mark.parametrize("name", ["/nowhere/task.bddl", "task.bddl", "../../task.bddl"])
def test_a_missing_file_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        find_definition(name)
    assert caught.value.facts["path"] == Path(name)
