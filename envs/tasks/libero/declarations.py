"""The sections :fixtures and :objects, lists such as `plate_1 bowl_1 bowl_2 - bowl`."""

import re
from collections.abc import Container
from dataclasses import dataclass

from ambidex.envs.tasks.libero.expression import Group, Word, shown, word
from ambidex.envs.tasks.libero.vocabulary import RESERVED_PREFIX

NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,99}", re.ASCII)
MAX_INSTANCES = 64


@dataclass(frozen=True)
class Declaration:
    """An instance and its category, each where it stands."""

    instance: Word
    category: Word


def declarations(section: Group) -> list[Declaration]:
    """What a section declares, in order.

    Raises:
        DefinitionError: A list that does not read `names - category`, or a name that cannot be one.
    """
    found: list[Declaration] = []
    names: list[Word] = []
    words = iter(word(item, "a name") for item in section.tail)
    for item in words:
        if item.text != "-":
            names.append(plain_name(item))
            continue
        found += _declare(item, names, next(words, None))
        names = []
    if names:
        raise names[0].at.error(f"{names[0].text} has no category; expected `{names[0].text} - category`.")
    return found


def _declare(dash: Word, names: list[Word], category: Word | None) -> list[Declaration]:
    if category is None or not names:
        raise dash.at.error("a dash stands between instances and their category: `plate_1 plate_2 - plate`.")
    return [Declaration(name, plain_name(category)) for name in names]


def check_distinct(found: list[Declaration], taken: Container[str] = ()) -> None:
    """Refuse a name that is there twice, too many names, and the robot's.

    Raises:
        DefinitionError: So it is.
    """
    seen: set[str] = set()
    for item in found:
        name = item.instance
        if name.text in seen or name.text in taken:
            raise name.at.error(f"{name.text} is declared twice. Give every instance a name of its own.")
        if name.text.startswith(RESERVED_PREFIX):
            raise name.at.error(f"names that begin with {RESERVED_PREFIX} belong to the robot. Choose another.")
        if len(seen) == MAX_INSTANCES:
            raise name.at.error(f"more than {MAX_INSTANCES} instances are declared. Take some away.")
        seen.add(name.text)


def plain_name(found: Word) -> Word:
    """`found`, if it is made of letters, digits, underscores and dashes.

    Raises:
        DefinitionError: It is not.
    """
    if not NAME.fullmatch(found.text):
        raise found.at.error(f"got {shown(found.text)}, expected a name of letters, digits and underscores.")
    return found
