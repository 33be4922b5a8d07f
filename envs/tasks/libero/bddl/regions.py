"""Reads the section :regions, and numbers, which are never evaluated by Python.

Invalid text raises DefinitionError with line and column.
"""

import math
import re
from collections.abc import Iterator
from typing import cast

from ambidex.envs.tasks.libero.bddl.lexer import Expression, Group, Word, group, shown, word
from ambidex.envs.tasks.libero.bddl.names import REGION_ATTRIBUTES, known
from ambidex.envs.tasks.libero.bddl.problem import Range, Region
from ambidex.envs.tasks.libero.bddl.sections import only_word, plain_name

RANGE = "a rectangle (xmin ymin xmax ymax) [m]"
YAW = "an interval (low high) [rad]"
RGBA = "a colour (red green blue alpha)"
MAX_POSITION = 10.0  # [m]
MAX_YAW = 100.0  # [rad]
MAX_COLOUR = 255.0

DIGITS = r"(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:e[+-]?[0-9]{1,3})?"
NUMBER = re.compile(rf"([+-]?)(?:({DIGITS})|(?:({DIGITS})\*)?((?:np\.|numpy\.|math\.)?pi))(?:/({DIGITS}))?", re.ASCII)


def regions(section: Group) -> dict[str, Region]:
    """Full name -> region, in order. Two regions may share a short name if their targets differ."""
    found: dict[str, Region] = {}
    for item in section.tail:
        entry = group(item, "a region such as (left_region (:target plate_1))")
        name, region = _region(entry)
        if region.name in found:
            raise name.at.error(f"region {name.text} of {region.target} is given twice.")
        found[region.name] = region
    return found


def _region(entry: Group) -> tuple[Word, Region]:
    name = plain_name(entry.head("the name of a region"))
    given = dict(_attributes(entry))
    if ":target" not in given:
        raise name.at.error(
            f"region {name.text} has no (:target NAME).", "Name the workspace, object or fixture it belongs to."
        )
    target = plain_name(only_word(given[":target"], "the name of a workspace, object or fixture")).text
    region = Region(
        name=f"{target}_{name.text}",
        target=target,
        ranges=_ranges(given.get(":ranges")),
        yaw=_yaw(given.get(":yaw_rotation")),
        rgba=_rgba(given.get(":rgba")),
    )
    return name, region


def _attributes(entry: Group) -> Iterator[tuple[str, Group]]:
    seen: set[str] = set()
    for item in entry.tail:
        attribute = group(item, "an attribute such as (:target plate_1)")
        name = attribute.head("the name of an attribute")
        known(name, "attribute of a region", REGION_ATTRIBUTES)
        if name.text in seen:
            raise name.at.error(f"{name.text} is given twice in one region.")
        seen.add(name.text)
        yield name.text, attribute


def _ranges(attribute: Group | None) -> tuple[Range, ...]:
    if attribute is None:
        return ()
    found = cast(tuple[Range, ...], _rows(_attribute_value(attribute, RANGE), 4, RANGE, MAX_POSITION))
    for xmin, ymin, xmax, ymax in found:
        if xmin > xmax or ymin > ymax:
            got = f"({xmin} {ymin} {xmax} {ymax})"
            raise attribute.at.error(f"got {got}, expected {RANGE} with no minimum above its maximum.")
    return found


def _yaw(attribute: Group | None) -> tuple[float, float] | None:
    if attribute is None:
        return None
    low, high = _row(attribute, 2, YAW, MAX_YAW)
    if low > high:
        raise attribute.at.error(f"got ({low} {high}), expected {YAW} with low not above high.")
    return low, high


def _rgba(attribute: Group | None) -> tuple[float, float, float, float] | None:
    return None if attribute is None else cast(Range, _row(attribute, 4, RGBA, MAX_COLOUR))


def _row(attribute: Group, count: int, expected: str, limit: float) -> tuple[float, ...]:
    """One row of numbers, in its own parentheses or in two pairs, as LIBERO writes intervals."""
    value = _attribute_value(attribute, expected)
    if not any(isinstance(item, Group) for item in value.items):
        return _numbers(value, count, expected, limit)
    found = _rows(value, count, expected, limit)
    if len(found) != 1:
        raise value.at.error(f"got {len(found)} rows, expected one: {expected}.")
    return found[0]


def _attribute_value(attribute: Group, expected: str) -> Group:
    if len(attribute.tail) != 1:
        name = word(attribute.items[0], "the name of an attribute").text
        raise attribute.at.error(f"{name} has {len(attribute.tail)} values, expected one list: {expected}.")
    return group(attribute.tail[0], expected)


def _rows(expression: Expression, count: int, expected: str, limit: float) -> tuple[tuple[float, ...], ...]:
    """One or more rows of exactly `count` numbers each."""
    found = group(expression, expected)
    if not found.items:
        raise found.at.error(f"got (), expected {expected}.")
    return tuple(_numbers(row, count, expected, limit) for row in found.items)


def _numbers(expression: Expression, count: int, expected: str, limit: float) -> tuple[float, ...]:
    """Exactly `count` numbers in parentheses."""
    found = group(expression, expected)
    if len(found.items) != count:
        raise found.at.error(f"got {len(found.items)} values, expected {count}: {expected}.")
    return tuple(_number(item, expected, limit) for item in found.items)


def _number(expression: Expression, expected: str, limit: float) -> float:
    """A number from -`limit` to `limit`, such as -0.25, 3e-2, pi, -pi/2 or 3*pi/4."""
    written = word(expression, expected)
    match = NUMBER.fullmatch(written.text)
    value = math.nan if match is None else _value(*match.groups())
    if not math.isfinite(value):
        raise written.at.error(f"got {shown(written.text)}, expected {expected}: a number such as -0.25, or pi/2.")
    if abs(value) > limit:
        raise written.at.error(f"got {shown(written.text)}, expected {expected}, each from -{limit:g} to {limit:g}.")
    return value


def _value(sign: str, plain: str | None, factor: str | None, pi: str | None, divisor: str | None) -> float:
    value = float(plain or factor or 1) * (math.pi if pi else 1.0)
    if divisor is not None:
        value = value / float(divisor) if float(divisor) else math.nan
    return -value if sign == "-" else value
