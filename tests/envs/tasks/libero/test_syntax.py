"""Text that is no tree: cut off, too deep, without end. Refused with its place, and at once."""

from pathlib import Path

import pytest
from definition_text import TEXT, changed, error

from ambidex.envs.tasks.libero.bddl.lexer import MAX_CHARACTERS
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.errors import DefinitionError


@pytest.mark.parametrize("text", ["", "  \n ; nothing\n"])
def test_an_empty_text_is_refused(text: str) -> None:
    assert "line 1, column 1: the text is empty" in error(text)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_places_are_right_whatever_ends_a_line(ending: str) -> None:
    text = changed("robosuite", "behavior").replace("\n", ending)
    assert error("; one\n; two\n".replace("\n", ending) + text).startswith("my.bddl, line 4, column 12: ")


def test_deep_nesting_is_refused_at_once() -> None:
    assert error("(" * 100).startswith("my.bddl, line 1, column 17: parentheses are nested more than 16 deep")
    assert "got a list in parentheses" in error(changed("(:domain", "(" * 15 + ")" * 15 + "(:domain"))
    assert "more than 16 deep" in error(changed("(:domain", "(" * 16 + ")" * 16 + "(:domain"))


@pytest.mark.parametrize("pattern", ["(", ")", "()", "x", " ", ";", "(x)\n", "((((x))))"])
def test_a_text_without_end_is_refused_at_once(pattern: str) -> None:
    assert "too many for a definition" in error(pattern * MAX_CHARACTERS * 4)
    error(pattern * (MAX_CHARACTERS // len(pattern)))


def test_gigabytes_of_nesting_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deep.bddl"
    with path.open("wb") as file:
        file.write(b"(" * 1_000_000)
        file.truncate(4 * 2**30)
    with pytest.raises(DefinitionError, match=r"deep\.bddl, line 1, column 1: the file is too long"):
        read_problem(path)


def test_every_cut_of_a_definition_is_refused() -> None:
    for length in range(len(TEXT) - 1):
        if TEXT[length:].strip():
            error(TEXT[:length])
