"""Incomplete, deeply nested and very long texts are refused quickly, with line and column."""

from pathlib import Path

import pytest
from definition_text import TEXT, changed, error

from ambidex.envs.tasks.libero.bddl.lexer import MAX_CHARACTERS
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.errors import DefinitionError


@pytest.mark.parametrize("text", ["", "  \n ; nothing\n"])
def test_an_empty_text_is_refused(text: str) -> None:
    assert "line 1, column 1: the text is empty" in str(error(text))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_positions_are_right_for_all_line_endings(ending: str) -> None:
    text = changed("robosuite", "behavior").replace("\n", ending)
    facts = error("; one\n; two\n".replace("\n", ending) + text).facts
    assert (facts["line"], facts["column"]) == (4, 12)


def test_deep_nesting_is_refused() -> None:
    assert str(error("(" * 100)).startswith("my.bddl, line 1, column 17: parentheses are nested more than 16 deep")
    assert "got a list in parentheses" in str(error(changed("(:domain", "(" * 15 + ")" * 15 + "(:domain")))
    assert "more than 16 deep" in str(error(changed("(:domain", "(" * 16 + ")" * 16 + "(:domain")))


@pytest.mark.parametrize("pattern", ["(", ")", "()", "x", " ", ";", "(x)\n", "((((x))))"])
def test_a_very_long_text_is_refused(pattern: str) -> None:
    assert f"at most {MAX_CHARACTERS:,}" in str(error(pattern * MAX_CHARACTERS * 4))
    error(pattern * (MAX_CHARACTERS // len(pattern)))


def test_a_file_of_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.bddl"
    with path.open("wb") as file:
        file.write(b"(" * 1_000_000)
        file.truncate(4 * 2**30)
    with pytest.raises(DefinitionError, match=r"deep\.bddl, line 1, column 1: the file has more than"):
        read_problem(path)


def test_every_truncated_definition_is_refused() -> None:
    for length in range(len(TEXT) - 1):
        if TEXT[length:].strip():
            error(TEXT[:length])
