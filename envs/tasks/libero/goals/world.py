"""What predicates are evaluated on: names of a definition, looked up in a MuJoCo model and its state."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.tasks.libero.bddl.problem import Problem, Region
from ambidex.envs.types import FloatArray

ZONE_HALF_HEIGHT = 0.007  # of a region of the workspace, as in LIBERO [m]


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionFrame:
    """The box of a region in the world.

    Attributes:
        position: Centre, shape (3,) [m].
        rotation: Columns are the box's axes in the world, shape (3, 3).
        half_size: Half its lengths along its own axes, shape (3,) [m].
    """

    position: FloatArray
    rotation: FloatArray
    half_size: FloatArray


class ModelWorld:
    """Answers questions of predicates from a compiled model and its state. Instances are objects and fixtures.

    Bodies are named `<instance>_main`, joints `<instance>_<joint>`, sites by the region's full name. The poses of the
    state have to be up to date; `touch` says whether two bodies, with everything attached to them, are in contact.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        problem: Problem,
        arena: Arena,
        touch: Callable[[str, str], bool],
    ) -> None:
        self._model, self._data, self._problem, self._touch = model, data, problem, touch
        own = [region for region in problem.regions.values() if region.target == problem.workspace]
        self._zones = {region.name: tuple(_zones(region, arena)) for region in own}
        self._joints: dict[str, npt.NDArray[np.intp]] = {}
        # Looking up names and arrays takes several times as long as reading them.
        self._body_id: Callable[[str], int] = cache(lambda instance: model.body(body_name(instance)).id)
        self._site_id: Callable[[str], int] = cache(lambda region: model.site(region).id)
        self._positions = data.xpos

    def is_region(self, name: str) -> bool:
        """Whether a name is that of a region rather than of an instance."""
        return name in self._problem.regions

    def owner(self, name: str) -> str:
        """The instance or workspace that a name belongs to: itself, or a region's target."""
        return self._problem.owner(name)

    def category(self, instance: str) -> str:
        return self._problem.categories[instance]

    def position(self, instance: str) -> FloatArray:
        """Origin of its body in the world, shape (3,) [m]."""
        return self._positions[self._body_id(instance)].copy()  # type: ignore[no-any-return]

    def frames(self, region: str) -> tuple[RegionFrame, ...]:
        """The boxes of a region: one, or for the workspace one per rectangle."""
        if region in self._zones:
            return self._zones[region]
        site, data = self._site_id(region), self._data
        rotation, half_size = data.site_xmat[site].reshape(3, 3).copy(), self._model.site_size[site].copy()
        return (RegionFrame(position=data.site_xpos[site].copy(), rotation=rotation, half_size=half_size),)

    def on_workspace(self, region: str) -> bool:
        """Whether a region belongs to the table or floor."""
        return region in self._zones

    def joint_positions(self, name: str) -> FloatArray:
        """All joints of an instance, or those that move the part a region is on, shape (n,) [m or rad]."""
        if name not in self._joints:
            addresses = [self._model.joint(joint).qposadr[0] for joint in joint_names(self._problem, name)]
            self._joints[name] = np.array(addresses, np.intp)
        return np.asarray(self._data.qpos[self._joints[name]])

    def touching(self, a: str, b: str) -> bool:
        """Whether two instances are in contact anywhere."""
        return self._touch(body_name(a), body_name(b))


def body_name(instance: str) -> str:
    """Name of the top body of an object or a fixture in the composed model."""
    return f"{instance}_main"


def joint_names(problem: Problem, name: str) -> tuple[str, ...]:
    """Names of the joints of a fixture, or of those that move the part a region is on, in qpos order."""
    owner = problem.owner(name)
    found = object_properties(problem.categories[owner])
    parts: Iterable[str] = {joint.body for joint in found.joints.values()}
    if name in problem.regions:
        parts = {found.sites[problem.regions[name].short_name].body}
    return tuple(f"{owner}_{joint}" for joint, given in found.joints.items() if given.body in parts)


def _zones(region: Region, arena: Arena) -> Iterator[RegionFrame]:
    x, y, _ = arena.offset
    for xmin, ymin, xmax, ymax in region.ranges:
        yield RegionFrame(
            position=np.array([x + (xmin + xmax) / 2, y + (ymin + ymax) / 2, arena.region_z]),
            rotation=np.eye(3),
            half_size=np.array([(xmax - xmin) / 2, (ymax - ymin) / 2, ZONE_HALF_HEIGHT]),
        )
