"""Reads text in parentheses into a tree of words and groups that know their line and column.

Every check of the text raises DefinitionError with line and column.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ambidex.errors import DefinitionError

MAX_DEPTH = 16  # LIBERO's files need 7
MAX_CHARACTERS = 65_536  # LIBERO's longest file has about 6,000

TOKEN = re.compile(r"[()]|;[^\r\n]*|[^\s();]+")
LINE_END = re.compile(r"\r\n|\r|\n")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f]")  # all but tabs and line ends


@dataclass(frozen=True)
class Location:
    """A position in a text: the name of the text, and line and column, both from 1."""

    source: str
    line: int
    column: int

    def error(self, problem: str, hint: str = "") -> DefinitionError:
        """An error whose message starts with the position."""
        where = f"{self.source}, line {self.line}, column {self.column}"
        return DefinitionError(f"{where}: {problem}", hint, path=self.source, line=self.line, column=self.column)


@dataclass(frozen=True)
class Word:
    """Text without spaces and parentheses, in lower case, and where it starts."""

    text: str
    at: Location


@dataclass(frozen=True)
class Group:
    """A pair of parentheses with words and groups in it, and where it opens."""

    items: "tuple[Expression, ...]"
    at: Location

    def head(self, expected: str) -> Word:
        """The first item, which must be a word."""
        if not self.items:
            raise self.at.error(f"got (), expected {expected}.")
        return word(self.items[0], expected)

    @property
    def tail(self) -> "tuple[Expression, ...]":
        """All items but the first."""
        return self.items[1:]


Expression = Word | Group


def word(expression: Expression, expected: str) -> Word:
    """`expression`, which must be a word."""
    if isinstance(expression, Group):
        raise expression.at.error(f"got a list in parentheses, expected {expected}.")
    return expression


def group(expression: Expression, expected: str) -> Group:
    """`expression`, which must be a group."""
    if isinstance(expression, Word):
        raise expression.at.error(f"got {shown(expression.text)}, expected {expected} in parentheses.")
    return expression


def shown(text: str) -> str:
    """A word in quotes for a message, shortened if it is long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def parse(text: str, source: str) -> Group:
    """Read a text that consists of one group, with comments from `;` to the end of the line. Not recursive.

    Case does not matter; `source` is the name of the text in messages.
    """
    start = Location(source, 1, 1)
    if len(text) > MAX_CHARACTERS:
        raise start.error(f"the definition has {len(text):,} characters, at most {MAX_CHARACTERS:,} are allowed.")
    _check_characters(text, source)
    opened: list[Location] = []
    items: list[list[Expression]] = [[]]
    for token, at in _tokens(text, source):
        if token == "(":
            if len(opened) == MAX_DEPTH:
                raise at.error(f"parentheses are nested more than {MAX_DEPTH} deep.")
            opened.append(at)
            items.append([])
        elif token == ")":
            if not opened:
                raise at.error("this parenthesis was never opened.", "Remove it, or open one before it.")
            content = tuple(items.pop())
            items[-1].append(Group(content, opened.pop()))
        else:
            items[-1].append(Word(token, at))
    if opened:
        raise opened[-1].error("this parenthesis is never closed.", "The file may be incomplete.")
    return _only_group(items[0], start)


def _check_characters(text: str, source: str) -> None:
    found = CONTROL.search(text)
    if found is not None:
        lines = LINE_END.split(text[: found.start()])
        at = Location(source, len(lines), len(lines[-1]) + 1)
        raise at.error(f"control character U+{ord(found[0]):04X} is not allowed.", "Remove it.")


def _tokens(text: str, source: str) -> Iterator[tuple[str, Location]]:
    """Parentheses and words, each with its position."""
    line, start = 1, 0
    ends = LINE_END.finditer(text)
    end = next(ends, None)
    for match in TOKEN.finditer(text):
        while end is not None and end.end() <= match.start():
            line, start = line + 1, end.end()
            end = next(ends, None)
        if not match[0].startswith(";"):
            yield match[0].lower(), Location(source, line, match.start() - start + 1)


def _only_group(found: list[Expression], start: Location) -> Group:
    if not found:
        raise start.error("the text is empty, expected (define (problem ...) ...).")
    surplus = found[1] if isinstance(found[0], Group) and len(found) > 1 else found[0]
    if len(found) > 1 or isinstance(surplus, Word):
        raise surplus.at.error("got text outside (define ...), expected one such group only.")
    return surplus
