"""The vocabulary of definitions, and the checks of the names that one definition declares and uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ambidex.envs.objects.properties import SiteProperties, object_properties
from ambidex.envs.tasks.libero.bddl.lexer import Word
from ambidex.envs.tasks.libero.bddl.problem import Region
from ambidex.envs.tasks.libero.goals.predicates import JOINT_STATES
from ambidex.errors import UnknownNameError

REQUIRED_SECTIONS = ("problem", ":regions", ":fixtures", ":objects", ":init", ":goal")
SECTIONS = (*REQUIRED_SECTIONS, ":domain", ":language", ":obj_of_interest")
REGION_ATTRIBUTES = (":target", ":ranges", ":yaw_rotation", ":rgba")

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
    """The text of `found`, which must be among `names`."""
    names = list(names)
    if found.text not in names:
        error = UnknownNameError(kind, found.text[:60], names)
        raise found.at.error(error.problem[0].lower() + error.problem[1:], error.hint)
    return found.text


@dataclass(frozen=True, kw_only=True)
class Names:
    """The declared names. Methods return the name they are given if it is valid, and raise DefinitionError if not.

    Attributes:
        workspace: The table or floor.
        fixtures: Instance -> category, without the workspace.
        objects: Instance -> category.
        regions: By full name.
    """

    workspace: str
    fixtures: Mapping[str, str]
    objects: Mapping[str, str]
    regions: Mapping[str, Region]

    @property
    def categories(self) -> Mapping[str, str]:
        return {**self.objects, **self.fixtures}

    def instance(self, found: Word) -> str:
        """An object or a fixture."""
        return known(found, "object or fixture", self.categories)

    def object(self, found: Word) -> str:
        """An object, not a fixture."""
        if self.instance(found) in self.fixtures:
            raise found.at.error(f"{found.text} is a fixture, which does not move; expected an object.")
        return found.text

    def support(self, found: Word) -> str:
        """What something may be on: an object, a fixture, a site of one, or a region of the workspace."""
        if found.text in self.categories:
            return found.text
        return self.region(found)

    def container(self, found: Word) -> str:
        """What something may be in: a site of an object or a fixture."""
        if found.text in self.categories or self.regions[self.region(found)].target == self.workspace:
            raise found.at.error(f"nothing can be in {found.text}; expected a region of an object or a fixture.")
        return found.text

    def region(self, found: Word) -> str:
        """A declared region that has a rectangle or a site."""
        if found.text == self.workspace:
            raise found.at.error(f"{found.text} is the whole workspace; expected one of its regions.")
        region = self.regions[known(found, "region, object or fixture", [*self.regions, *self.categories])]
        if region.target != self.workspace:
            self._site(found, region)
        elif not region.ranges:
            raise found.at.error(f"region {found.text} of the workspace has no (:ranges ...).")
        return found.text

    def openable(self, found: Word) -> str:
        """A fixture with a door or drawers, or the region of one of these."""
        return self._jointed(found, tuple(JOINT_STATES["open"]), "open or close")

    def switchable(self, found: Word) -> str:
        """A fixture that can be switched on and off."""
        return self._jointed(found, tuple(JOINT_STATES["turnon"]), "be turned on or off")

    def _jointed(self, found: Word, possible: tuple[str, ...], action: str) -> str:
        name = self.support(found)
        owner = self.regions[name].target if name in self.regions else name
        category = self.categories.get(owner, "the workspace")
        if category not in possible:
            raise found.at.error(f"{found.text} ({category}) cannot {action}; these can: {', '.join(possible)}.")
        if name in self.regions:
            body = self._site(found, self.regions[name]).body
            if not any(joint.body == body for joint in object_properties(category).joints.values()):
                raise found.at.error(f"{found.text} is on a part of {owner} that does not move, so it cannot {action}.")
        return name

    def _site(self, found: Word, region: Region) -> SiteProperties:
        """The site of an object's or fixture's region."""
        if region.target not in self.categories:
            raise found.at.error(f"region {found.text} belongs to {region.target}, which is not declared.")
        category = self.categories[region.target]
        sites = {n: site for n, site in object_properties(category).sites.items() if site.half_size is not None}
        if region.short_name not in sites:
            raise found.at.error(
                f"{category} has no region {region.short_name}. It has: {', '.join(sorted(sites)) or 'none'}."
            )
        return sites[region.short_name]
