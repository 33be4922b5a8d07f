"""Where a region is at a moment."""

from dataclasses import dataclass

from ambidex.envs.types import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionFrame:
    """A box in the world.

    Attributes:
        position: Centre, shape (3,) [m].
        rotation: Columns are the box's axes in the world, shape (3, 3).
        half_size: Half its lengths along its own axes, shape (3,) [m].
    """

    position: FloatArray
    rotation: FloatArray
    half_size: FloatArray
