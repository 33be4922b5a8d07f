"""The section :regions."""

from collections.abc import Iterator
from typing import cast

from ambidex.envs.tasks.libero.declarations import plain_name
from ambidex.envs.tasks.libero.expression import Group, Word, group, word
from ambidex.envs.tasks.libero.numbers import is_row, numbers, rows
from ambidex.envs.tasks.libero.problem import Range, Region
from ambidex.envs.tasks.libero.sections import only_word
from ambidex.envs.tasks.libero.vocabulary import REGION_ATTRIBUTES, known

RANGE = "a rectangle (xmin ymin xmax ymax) [m]"
YAW = "an interval (low high) [rad]"
RGBA = "a colour (red green blue alpha)"
FARTHEST = 10.0  # no room is as wide [m]
MOST_TURNED = 100.0  # [rad]
BRIGHTEST = 255.0


def regions(section: Group) -> dict[str, Region]:
    """Full name -> region, in order. Two may share a short name if their targets differ.

    Raises:
        DefinitionError: A region that cannot be read, or is there twice.
    """
    found: dict[str, Region] = {}
    for item in section.tail:
        entry = group(item, "a region such as (left_region (:target plate_1))")
        name, region = _region(entry)
        if region.name in found:
            raise name.at.error(f"region {name.text} of {region.target} is there twice.")
        found[region.name] = region
    return found


def _region(entry: Group) -> tuple[Word, Region]:
    name = plain_name(entry.head("the name of a region"))
    given = dict(_attributes(entry))
    if ":target" not in given:
        raise name.at.error(f"region {name.text} has no (:target NAME): say which workspace or thing it belongs to.")
    target = plain_name(only_word(given[":target"], "the name of a workspace or thing")).text
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
            raise name.at.error(f"{name.text} is there twice in one region.")
        seen.add(name.text)
        yield name.text, attribute


def _ranges(attribute: Group | None) -> tuple[Range, ...]:
    if attribute is None:
        return ()
    found = cast(tuple[Range, ...], rows(_value(attribute, RANGE), 4, RANGE, FARTHEST))
    for xmin, ymin, xmax, ymax in found:
        if xmin > xmax or ymin > ymax:
            got = f"({xmin} {ymin} {xmax} {ymax})"
            raise attribute.at.error(f"got {got}, expected {RANGE} with no minimum above its maximum.")
    return found


def _yaw(attribute: Group | None) -> tuple[float, float] | None:
    if attribute is None:
        return None
    low, high = _row(attribute, 2, YAW, MOST_TURNED)
    if low > high:
        raise attribute.at.error(f"got ({low} {high}), expected {YAW} with low not above high.")
    return low, high


def _rgba(attribute: Group | None) -> tuple[float, float, float, float] | None:
    return None if attribute is None else cast(Range, _row(attribute, 4, RGBA, BRIGHTEST))


def _row(attribute: Group, count: int, what: str, most: float) -> tuple[float, ...]:
    """One row of numbers, in its own parentheses or in two pairs, as LIBERO writes intervals."""
    value = _value(attribute, what)
    if is_row(value.items):
        return numbers(value, count, what, most)
    found = rows(value, count, what, most)
    if len(found) != 1:
        raise value.at.error(f"got {len(found)} rows, expected one: {what}.")
    return found[0]


def _value(attribute: Group, what: str) -> Group:
    if len(attribute.tail) != 1:
        name = word(attribute.items[0], "the name of an attribute").text
        raise attribute.at.error(f"{name} has {len(attribute.tail)} values, expected one list: {what}.")
    return group(attribute.tail[0], what)
