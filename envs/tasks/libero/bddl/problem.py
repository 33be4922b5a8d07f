"""The content of a definition file: regions, objects, fixtures, initial placements and the goal. Values only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

Range = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A rectangle on the workspace, or a site of a fixture or an object.

    Attributes:
        name: Full name, `<target>_<short name>`; for an object or a fixture also the name of its site in the model.
        target: The workspace, fixture or object it belongs to.
        ranges: Rectangles (xmin, ymin, xmax, ymax) about the workspace's origin [m]; empty for a site.
        yaw: Lowest and highest initial rotation about the vertical of what is placed here [rad]; None if the file gives
            none.
        rgba: Colour to show it in, if the file gives one.
    """

    name: str
    target: str
    ranges: tuple[Range, ...] = ()
    yaw: tuple[float, float] | None = None
    rgba: tuple[float, float, float, float] | None = None

    @property
    def short_name(self) -> str:
        """The name without its target, as the file writes it."""
        return self.name.removeprefix(f"{self.target}_")


@dataclass(frozen=True)
class Atom:
    """A predicate with its arguments.

    Attributes:
        predicate: Lower case: "on", "in", "open", "close", "turnon", "turnoff" or "up".
        arguments: Names of objects, fixtures or regions; what is placed comes first, its support second.
    """

    predicate: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.predicate}({', '.join(self.arguments)})"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A checked definition file: every name in it is declared, every category exists. All names in lower case.

    Attributes:
        name: File name without .bddl, in its own case.
        problem: Problem class, e.g. "libero_kitchen_tabletop_manipulation"; decides the arena.
        workspace: The fixture that is the arena's table or floor, e.g. "kitchen_table".
        language: The instruction in the file, "" if there is none.
        regions: By full name, in file order. A target that does not exist is an error only if the region is used.
        fixtures: Instance -> category in file order, without the workspace.
        objects: Instance -> category, in file order.
        obj_of_interest: Names of objects, fixtures or regions.
        init: Initial atoms; every fixture and object is placed by exactly one "on" or "in".
        goal: The atoms that must all hold.
        source: File name, or another name of the text.
        sha256: SHA-256 of the text.
        text: The whole text.
    """

    name: str
    problem: str
    workspace: str
    language: str
    regions: Mapping[str, Region]
    fixtures: Mapping[str, str]
    objects: Mapping[str, str]
    obj_of_interest: tuple[str, ...]
    init: tuple[Atom, ...]
    goal: tuple[Atom, ...]
    source: str
    sha256: str
    text: str = ""

    @cached_property
    def categories(self) -> Mapping[str, str]:
        """Instance -> category of all objects and fixtures, objects first."""
        return {**self.objects, **self.fixtures}

    def owner(self, name: str) -> str:
        """The object, fixture or workspace behind an atom's argument: itself, or the target of a region."""
        return self.regions[name].target if name in self.regions else name

    def placements(self) -> Iterable[Atom]:
        """The atoms of `init` that place something, in file order."""
        return (atom for atom in self.init if atom.predicate in ("on", "in"))
