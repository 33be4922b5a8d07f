"""Description of an arena: where objects, fixtures and the robot are placed in it, and how its model is made."""

from collections.abc import Callable
from dataclasses import dataclass

import mujoco

from ambidex.envs.arenas.builder import ArenaBuilder
from ambidex.envs.objects.fixtures.moving_parts import FRAME_HEIGHTS
from ambidex.envs.objects.properties import Vector
from ambidex.envs.simulation.pose import Pose


@dataclass(frozen=True, kw_only=True)
class Arena:
    """One of LIBERO's arenas. Sources of the numbers: assets/SOURCE.md.

    Attributes:
        name: Short name.
        workspace: Name of the table or floor in BDDL.
        offset: Origin of the ranges of regions (3,) [m]; its z is not the height of objects.
        surface_z: Height of the table's top or the floor [m].
        region_z: Height of the workspace's regions in On(object, region) [m].
        fixture_z: Height that `FRAME_HEIGHTS` of fixtures are added to [m].
        base: Pose of the Panda's base.
        mount: What the base is mounted on, "mounted" or "ground".
        agentview: Position (3,) [m] and orientation (wxyz) of the camera `agentview`.
        furnish: Adds floor, walls and table to the model; one collision geom is called "table".
    """

    name: str
    workspace: str
    offset: Vector
    surface_z: float
    region_z: float
    fixture_z: float
    base: Pose
    mount: str
    agentview: tuple[Vector, tuple[float, float, float, float]]
    furnish: Callable[[ArenaBuilder], None]

    def fixture_height(self, category: str) -> float:
        """Height of a fixture's body frame in this arena, as in LIBERO [m]."""
        return self.fixture_z + FRAME_HEIGHTS[category]

    def in_world(self, area: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A rectangle (xmin, ymin, xmax, ymax) of a region, about the origin of the world instead of `offset` [m]."""
        x, y, _ = self.offset
        return area[0] + x, area[1] + y, area[2] + x, area[3] + y

    def make_spec(self) -> mujoco.MjSpec:
        """A new model of the arena."""
        builder = ArenaBuilder(self.name, self.surface_z)
        self.furnish(builder)
        builder.add_camera("agentview", *self.agentview)
        return builder.spec
