"""A place in a text, for messages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ambidex.errors import DefinitionError


@dataclass(frozen=True)
class Location:
    """Where something stands, counted from 1.

    Attributes:
        source: File, or what stands for it.
        line: Line.
        column: Column.
    """

    source: str
    line: int
    column: int

    def error(self, message: str) -> DefinitionError:
        """An error that starts with the place."""
        return DefinitionError(f"{self.source}, line {self.line}, column {self.column}: {message}")


# FOLDED envs.tasks.libero.expression: A text in parentheses as a tree that remembers where each part stands.


@dataclass(frozen=True)
class Word:
    """What stands between blanks, in lower case.

    Attributes:
        text: The word.
        at: Where it begins.
    """

    text: str
    at: Location


@dataclass(frozen=True)
class Group:
    """A pair of parentheses and what is in it.

    Attributes:
        items: Words and groups, in order.
        at: Where it opens.
    """

    items: "tuple[Expression, ...]"
    at: Location

    def head(self, what: str) -> Word:
        """The first item, which must be a word.

        Raises:
            DefinitionError: It is not.
        """
        if not self.items:
            raise self.at.error(f"got (), expected {what}.")
        return word(self.items[0], what)

    @property
    def tail(self) -> "tuple[Expression, ...]":
        """All items but the first."""
        return self.items[1:]


Expression = Word | Group


def word(expression: Expression, what: str) -> Word:
    """`expression` as the word it must be.

    Raises:
        DefinitionError: It is a group.
    """
    if isinstance(expression, Group):
        raise expression.at.error(f"got a list in parentheses, expected {what}.")
    return expression


def group(expression: Expression, what: str) -> Group:
    """`expression` as the group it must be.

    Raises:
        DefinitionError: It is a word.
    """
    if isinstance(expression, Word):
        raise expression.at.error(f"got {shown(expression.text)}, expected {what} in parentheses.")
    return expression


def shown(text: str) -> str:
    """A word as a message may quote it, however long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


# FOLDED envs.tasks.libero.syntax: Text to tree. Reads parentheses, words and comments (`;` to the end of the line), in one pass without recursion.

MAX_DEPTH = 16  # LIBERO's files need 7
MAX_CHARACTERS = 65_536  # LIBERO's longest file has about 6,000

TOKEN = re.compile(r"[()]|;[^\r\n]*|[^\s();]+")
LINE_END = re.compile(r"\r\n|\r|\n")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f]")  # all but tabs and line ends


def parse(text: str, source: str) -> Group:
    """The one group the text consists of.

    Args:
        text: Definition; case does not matter.
        source: What messages call it.

    Raises:
        DefinitionError: Parentheses that do not match, anything outside them, too deep, too long; control characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise Location(source, 1, 1).error(
            f"{len(text):,} characters are too many for a definition: at most {MAX_CHARACTERS:,} are read."
        )
    _check_characters(text, source)
    roots = _Tree()
    for token, at in _tokens(text, source):
        roots.add(token, at)
    return roots.only(Location(source, 1, 1))


def _check_characters(text: str, source: str) -> None:
    found = CONTROL.search(text)
    if found is not None:
        lines = LINE_END.split(text[: found.start()])
        at = Location(source, len(lines), len(lines[-1]) + 1)
        raise at.error(f"control character U+{ord(found[0]):04X} is no text of a definition. Take it away.")


def _tokens(text: str, source: str) -> Iterator[tuple[str, Location]]:
    """Parentheses and words, each with its place."""
    line, start = 1, 0
    ends = LINE_END.finditer(text)
    end = next(ends, None)
    for match in TOKEN.finditer(text):
        while end is not None and end.end() <= match.start():
            line, start = line + 1, end.end()
            end = next(ends, None)
        if not match[0].startswith(";"):
            yield match[0].lower(), Location(source, line, match.start() - start + 1)


class _Tree:
    """Grows by one token at a time."""

    def __init__(self) -> None:
        self._open: list[Location] = []
        self._items: list[list[Expression]] = [[]]

    def add(self, token: str, at: Location) -> None:
        if token == "(":
            self._enter(at)
        elif token == ")":
            self._leave(at)
        else:
            self._items[-1].append(Word(token, at))

    def _enter(self, at: Location) -> None:
        if len(self._open) == MAX_DEPTH:
            raise at.error(f"parentheses are nested more than {MAX_DEPTH} deep. No definition needs that.")
        self._open.append(at)
        self._items.append([])

    def _leave(self, at: Location) -> None:
        if not self._open:
            raise at.error("a parenthesis closes that was never opened. Take it away, or open one before it.")
        items = tuple(self._items.pop())
        self._items[-1].append(Group(items, self._open.pop()))

    def only(self, start: Location) -> Group:
        """The one group there is when the text has ended."""
        if self._open:
            raise self._open[-1].error("this parenthesis is never closed. The file may be cut off.")
        (found,) = self._items
        if not found:
            raise start.error("the text is empty, expected (define (problem ...) ...).")
        surplus = found[1] if isinstance(found[0], Group) and len(found) > 1 else found[0]
        if len(found) > 1 or isinstance(surplus, Word):
            raise surplus.at.error("got text outside (define ...), expected one such group and nothing beside it.")
        return surplus
