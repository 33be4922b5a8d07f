"""Numbers of a definition: plain ones, and simple ones with pi. Nothing is evaluated by Python."""

import math
import re
from collections.abc import Sequence

from ambidex.envs.tasks.libero.expression import Expression, Group, group, shown, word

DIGITS = r"(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:e[+-]?[0-9]{1,3})?"
NUMBER = re.compile(rf"([+-]?)(?:({DIGITS})|(?:({DIGITS})\*)?((?:np\.|numpy\.|math\.)?pi))(?:/({DIGITS}))?", re.ASCII)


def number(expression: Expression, what: str, most: float) -> float:
    """A number from -`most` to `most`, such as -0.25, 3e-2, pi, -pi/2 or 3*pi/4.

    Raises:
        DefinitionError: It is none.
    """
    written = word(expression, what)
    match = NUMBER.fullmatch(written.text)
    value = math.nan if match is None else _value(*match.groups())
    if not math.isfinite(value):
        raise written.at.error(f"got {shown(written.text)}, expected {what}: a number such as -0.25, or pi/2.")
    if abs(value) > most:
        raise written.at.error(f"got {shown(written.text)}, expected {what}, each from -{most:g} to {most:g}.")
    return value


def _value(sign: str, plain: str | None, factor: str | None, pi: str | None, divisor: str | None) -> float:
    value = float(plain or factor or 1) * (math.pi if pi else 1.0)
    if divisor is not None:
        value = value / float(divisor) if float(divisor) else math.nan
    return -value if sign == "-" else value


def numbers(expression: Expression, count: int, what: str, most: float) -> tuple[float, ...]:
    """Exactly `count` numbers in parentheses, none beyond `most`.

    Raises:
        DefinitionError: More, fewer, larger, or something else.
    """
    found = group(expression, what)
    if len(found.items) != count:
        raise found.at.error(f"got {len(found.items)} values, expected {count}: {what}.")
    return tuple(number(item, what, most) for item in found.items)


def rows(expression: Expression, count: int, what: str, most: float) -> tuple[tuple[float, ...], ...]:
    """A list of rows of exactly `count` numbers each, at least one row, no number beyond `most`.

    Raises:
        DefinitionError: Something else.
    """
    found = group(expression, what)
    if not found.items:
        raise found.at.error(f"got (), expected {what}.")
    return tuple(numbers(row, count, what, most) for row in found.items)


def is_row(items: Sequence[Expression]) -> bool:
    """Whether the items are words, not groups."""
    return not any(isinstance(item, Group) for item in items)
