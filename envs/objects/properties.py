"""Properties of each category of objects and fixtures: size, mass, sites and joints. Read from objects.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ambidex.assets.paths import ROOT
from ambidex.envs.types import FloatArray
from ambidex.errors import UnknownNameError

Vector = tuple[float, float, float]
Corners = tuple[Vector, Vector]  # lowest and highest corner of a box


@dataclass(frozen=True, kw_only=True)
class SiteProperties:
    """A named point or region of an object.

    Attributes:
        body: Name of the body it belongs to; "main" is the top body.
        position: Centre in the object's frame [m], joints at zero.
        half_size: Half the size of the region along the object's axes [m], None for a point.
    """

    body: str
    position: Vector
    half_size: Vector | None


@dataclass(frozen=True, kw_only=True)
class JointProperties:
    """The joint of a drawer, a door or a knob.

    Attributes:
        body: Name of the body that moves.
        kind: "slide" or "hinge".
        axis: In the object's frame.
        anchor: A point of the axis in the object's frame [m].
        low: Lower end of the range [m or rad].
        high: Upper end of the range [m or rad].
        damping: [N s/m or N m s/rad].
    """

    body: str
    kind: str
    axis: Vector
    anchor: Vector
    low: float
    high: float
    damping: float


@dataclass(frozen=True, kw_only=True)
class ObjectProperties:
    """Properties of a category, in its body frame. Objects are placed with the frame's z axis up.

    Attributes:
        category: Its name.
        low: Lowest corner of its box [m]; `-low[2]` is the height of the frame above the surface it is placed on.
        high: Highest corner of its box [m], joints at zero.
        foot: Centre (x, y) of the part it stands on [m]: the centre of its box without handles and spouts.
        horizontal_radius: Two objects are initially no nearer to each other than the sum of their radii [m].
        friction: Sliding friction.
        mass: Total mass [kg].
        is_fixture: Whether it does not move.
        sites: By name.
        joints: By name, in qpos order.
        parts: Boxes of its bodies in the object's frame, joints at zero, by name.
    """

    category: str
    low: Vector
    high: Vector
    foot: tuple[float, float]
    horizontal_radius: float
    friction: float
    mass: float
    is_fixture: bool
    sites: Mapping[str, SiteProperties]
    joints: Mapping[str, JointProperties]
    parts: Mapping[str, Corners]

    @property
    def size(self) -> FloatArray:
        """Length of its box along x, y and z, shape (3,) [m]."""
        return np.subtract(self.high, self.low)

    @property
    def centre(self) -> FloatArray:
        """Centre of its box, shape (3,) [m]."""
        return np.add(self.high, self.low) / 2


@cache
def categories() -> tuple[str, ...]:
    """All categories, in alphabetical order."""
    return tuple(_read())


@cache
def object_properties(category: str) -> ObjectProperties:
    """The properties of a category.

    Raises:
        UnknownNameError: No such category; lists the known ones.
    """
    everything = _read()
    if category not in everything:
        raise UnknownNameError("object category", category, everything)
    given = everything[category]
    low, high = _vector(given["low"]), _vector(given["high"])
    x, y = given.get("foot", ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2))
    return ObjectProperties(
        category=category,
        low=low,
        high=high,
        foot=(x, y),
        horizontal_radius=given["horizontal_radius"],
        friction=given["friction"],
        mass=given["mass"],
        is_fixture=given["is_fixture"],
        sites={name: _site(**site) for name, site in given.get("sites", {}).items()},
        joints={name: _joint(**joint) for name, joint in given.get("joints", {}).items()},
        parts={name: (_vector(part["low"]), _vector(part["high"])) for name, part in given.get("parts", {}).items()},
    )


@cache
def _read() -> dict[str, dict[str, Any]]:
    with (ROOT / "libero" / "objects.json").open(encoding="utf-8") as file:
        content: dict[str, dict[str, Any]] = json.load(file)
    return content


def _vector(numbers: object) -> Vector:
    x, y, z = np.asarray(numbers, dtype=np.float64).tolist()
    return x, y, z


def _site(*, position: object, half_size: object = None, body: str = "main") -> SiteProperties:
    return SiteProperties(
        body=body, position=_vector(position), half_size=None if half_size is None else _vector(half_size)
    )


def _joint(
    *, body: str, kind: str, axis: object, anchor: object, range: tuple[float, float], damping: float
) -> JointProperties:
    low, high = range
    return JointProperties(
        body=body, kind=kind, axis=_vector(axis), anchor=_vector(anchor), low=low, high=high, damping=damping
    )
