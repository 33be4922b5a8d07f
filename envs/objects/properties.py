"""Properties of each category of objects and fixtures, read from assets/libero/objects.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np

from ambidex.assets.paths import ROOT
from ambidex.codec import from_json, parse
from ambidex.envs.types import FloatArray
from ambidex.errors import check_name

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Corners = tuple[Vector, Vector]  # lowest and highest corner of a box


@dataclass(frozen=True, kw_only=True)
class SiteProperties:
    """A named point or region of an object.

    Attributes:
        body: Name of the body it belongs to; "main" is the top body.
        position: Centre in the object's frame [m], joints at zero.
        half_size: Half the size of the region along the object's axes [m], None for a point.
    """

    body: str = "main"
    position: Vector
    half_size: Vector | None = None


@dataclass(frozen=True, kw_only=True)
class JointProperties:
    """The joint of a drawer, a door or a knob.

    Attributes:
        body: Name of the body that moves.
        kind: "slide" or "hinge".
        axis: In the object's frame.
        anchor: A point of the axis in the object's frame [m].
        range: Lower and upper end [m or rad].
        damping: [N s/m or N m s/rad].
    """

    body: str
    kind: str
    axis: Vector
    anchor: Vector
    range: tuple[float, float]
    damping: float


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box in the object's frame, between its lowest and highest corner [m]."""

    low: Vector
    high: Vector


@dataclass(frozen=True, kw_only=True)
class ObjectProperties:
    """Properties of a category, in its body frame.

    Attributes:
        category: Its name.
        low: Lowest corner of its box [m].
        high: Highest corner of its box [m], joints at zero.
        initial_orientation: Quaternion (wxyz) with which LIBERO's stored initial states have it; the body frame of some
            objects lies on its side when the object stands.
        initial_yaw: Lowest and highest yaw added to that [rad].
        foot: Centre (x, y) of the part it stands on [m]: the centre of its box without handles and spouts.
        horizontal_radius: Two objects are initially no nearer to each other than the sum of their radii [m].
        friction: Sliding friction.
        mass: Total mass [kg].
        is_fixture: Whether it does not move.
        sites: By name.
        joints: By name, in qpos order.
        parts: Boxes of its bodies, joints at zero, by name.
    """

    category: str
    low: Vector
    high: Vector
    foot: tuple[float, float]
    horizontal_radius: float
    friction: float
    mass: float
    is_fixture: bool
    initial_orientation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    initial_yaw: tuple[float, float] = (0.0, 0.0)
    sites: Mapping[str, SiteProperties] = field(default_factory=dict)
    joints: Mapping[str, JointProperties] = field(default_factory=dict)
    parts: Mapping[str, Box] = field(default_factory=dict)

    @property
    def size(self) -> FloatArray:
        """Length of its box along x, y and z, shape (3,) [m]."""
        return np.subtract(self.high, self.low)

    @property
    def centre(self) -> FloatArray:
        """Centre of its box, shape (3,) [m]."""
        return np.add(self.high, self.low) / 2


def categories() -> tuple[str, ...]:
    """All categories, in alphabetical order."""
    return tuple(_all())


def object_properties(category: str) -> ObjectProperties:
    """The properties of a category.

    Raises:
        UnknownNameError: No such category; lists the known ones.
    """
    check_name("object category", category, _all())
    return _all()[category]


@cache
def _all() -> Mapping[str, ObjectProperties]:
    content = cast(dict[str, dict[str, Any]], parse((ROOT / "libero" / "objects.json").read_bytes()))
    return {category: _read(category, entry) for category, entry in content.items()}


def _read(category: str, entry: dict[str, Any]) -> ObjectProperties:
    (x0, y0, _), (x1, y1, _) = entry["low"], entry["high"]
    foot = ((x0 + x1) / 2, (y0 + y1) / 2)
    return from_json(ObjectProperties, {"category": category, "foot": foot, **entry})
