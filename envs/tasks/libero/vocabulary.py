"""The words a definition may use: sections, predicates, problem classes and what stands in their place."""

from collections.abc import Iterable, Mapping

from ambidex.envs.tasks.libero.expression import Word
from ambidex.errors import UnknownNameError

REQUIRED_SECTIONS = ("problem", ":regions", ":fixtures", ":objects", ":init", ":goal")
SECTIONS = (*REQUIRED_SECTIONS, ":domain", ":language", ":obj_of_interest")
REGION_ATTRIBUTES = (":target", ":ranges", ":yaw_rotation", ":rgba")

PREDICATES: Mapping[str, int] = {"on": 2, "in": 2, "open": 1, "close": 1, "turnon": 1, "turnoff": 1, "up": 1}
"""Predicate -> number of arguments."""

WORKSPACES: Mapping[str, tuple[str, str]] = {
    "libero_tabletop_manipulation": ("main_table", "table"),
    "libero_kitchen_tabletop_manipulation": ("kitchen_table", "kitchen_table"),
    "libero_living_room_tabletop_manipulation": ("living_room_table", "living_room_table"),
    "libero_study_tabletop_manipulation": ("study_table", "study_table"),
    "libero_floor_manipulation": ("floor", "floor"),
}
"""Problem class -> instance and category of the fixture that is its table or floor."""

RESERVED_PREFIX = "robot0"


def known(found: Word, kind: str, names: Iterable[str]) -> str:
    """The text of `found`, which must be among `names`.

    Raises:
        DefinitionError: It is not; says what exists and what may have been meant.
    """
    names = list(names)
    if found.text not in names:
        raise found.at.error(_lower_first(str(UnknownNameError(kind, found.text[:60], names))))
    return found.text


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]
