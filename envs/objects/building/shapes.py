"""Meshes of simple shapes: surfaces of revolution, boxes, prisms and bent tubes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ambidex.envs.objects.building.mesh import FaceArray, Mesh, merge
from ambidex.envs.types import FloatArray

Point = tuple[float, float]
TextureRegion = tuple[float, float, float, float]  # left, top, right, bottom, in 0..1
WHOLE_TEXTURE: TextureRegion = (0.0, 0.0, 1.0, 1.0)
CREASE = np.cos(np.radians(40.0))  # edges sharper than this have separate normals on both sides
SIDES = {  # axis the side faces, its sign, axis to the right of the texture and axis to its top
    "front": (1, -1, (0, 1), (2, 1)),
    "back": (1, 1, (0, -1), (2, 1)),
    "left": (0, -1, (1, -1), (2, 1)),
    "right": (0, 1, (1, 1), (2, 1)),
    "top": (2, 1, (0, 1), (1, 1)),
    "bottom": (2, -1, (0, 1), (1, -1)),
}


def revolve(
    profile: Sequence[Point],
    slices: int = 20,
    region: TextureRegion = WHOLE_TEXTURE,
    *,
    power: float = 2.0,
    by_height: bool = False,
) -> Mesh:
    """A surface of revolution about z, or one with superelliptic (rounded square) sections.

    Args:
        profile: Points (radius, z) [m]. If z increases on the outside, the surface faces outwards.
        slices: Number of flat sides; a corner points along +x.
        region: Part of the texture that is wrapped around once: its left edge is at +x, its lower edge at the first
            point, its upper edge at the last one.
        power: A section is |x|^power + |y|^power = radius^power: 2 for round, more for squarer.
        by_height: The texture is stretched along z instead of along the profile.
    """
    points = np.array(profile, dtype=np.float64)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if by_height:
        lengths = points[:, 1] - points[0, 1]
    parts, start = [], 0
    for run in _smooth_runs(points):
        rise = lengths[start : start + len(run)] / lengths[-1]
        parts.append(_revolved(run, rise, slices, region, power))
        start += len(run) - 1
    return _without_slivers(merge(*parts))


def _revolved(run: FloatArray, rise: FloatArray, slices: int, region: TextureRegion, power: float) -> Mesh:
    turn = np.linspace(0.0, 1.0, slices + 1)
    section = np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], axis=1)
    section /= (np.abs(section) ** power).sum(axis=1, keepdims=True) ** (1 / power)
    slope = np.sign(section) * np.abs(section) ** (power - 1)
    normals = _extruded(_outward(run), slope)
    left, top, right, bottom = region
    u, v = np.meshgrid(left + (right - left) * turn, bottom + (top - bottom) * rise)
    return Mesh(
        vertices=_extruded(run, section),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        uv=np.stack([u.ravel(), v.ravel()], axis=1),
        faces=_grid_faces(len(run), slices + 1),
    )


def _extruded(line: FloatArray, section: FloatArray) -> FloatArray:
    """Every point (x, y) of the section, scaled by the radius of every point (radius, z) of the line."""
    flat = line[:, None, :1] * section[None]
    height = np.broadcast_to(line[:, None, 1:], (*flat.shape[:2], 1))
    return np.concatenate([flat, height], axis=2).reshape(-1, 3)


def box(low: npt.ArrayLike, high: npt.ArrayLike, regions: Mapping[str, TextureRegion] | None = None) -> Mesh:
    """A box between two corners (3,) [m].

    Args:
        low: Lowest corner.
        high: Highest corner.
        regions: Part of the texture for each side: "front" (-y), "back", "left" (-x), "right", "top" (+z; the texture's
            top is at +y), "bottom"; sides that are not named are left out. None: the whole texture on every side.
    """
    bounds = np.array([low, high], dtype=np.float64)
    chosen = dict.fromkeys(SIDES, WHOLE_TEXTURE) if regions is None else regions
    return merge(*(_side(bounds, *SIDES[side], region) for side, region in chosen.items()))


def _side(
    bounds: FloatArray, axis: int, sign: int, right: tuple[int, int], up: tuple[int, int], region: TextureRegion
) -> Mesh:
    vertices = np.empty((4, 3))
    vertices[:, axis] = bounds[(sign + 1) // 2, axis]
    for corner, (to_right, to_top) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        vertices[corner, right[0]] = bounds[(to_right * right[1] + 1) // 2, right[0]]
        vertices[corner, up[0]] = bounds[(to_top * up[1] + 1) // 2, up[0]]
    normals = np.zeros((4, 3))
    normals[:, axis] = sign
    left, top, far, bottom = region
    uv = np.array([[left, bottom], [far, bottom], [far, top], [left, top]])
    return Mesh(vertices=vertices, normals=normals, uv=uv, faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32))


def prism(outline: Sequence[Point], low: float, high: float) -> Mesh:
    """An outline in the x-y plane, extruded from z = `low` to `high` [m], with flat caps.

    The outline has points (x, y) [m], counter-clockwise from above, the first not repeated. The caps are fans about its
    mean point, from which all of it must be visible.
    """
    points = np.array([*outline, outline[0]], dtype=np.float64)
    walls = []
    for run in _smooth_runs(points):
        normals = np.tile(np.column_stack([_outward(run), np.zeros(len(run))]), (2, 1))
        flat = np.tile(run, (2, 1))
        heights = np.repeat([low, high], len(run))
        uv = np.column_stack([np.tile(np.linspace(0, 1, len(run)), 2), np.repeat([1.0, 0.0], len(run))])
        faces = _grid_faces(2, len(run))
        walls.append(Mesh(vertices=np.column_stack([flat, heights]), normals=normals, uv=uv, faces=faces))
    return merge(*walls, _cap(points[:-1], high, 1), _cap(points[:-1], low, -1))


def _cap(points: FloatArray, height: float, sign: int) -> Mesh:
    count = len(points)
    flat = np.vstack([points, points.mean(axis=0)])
    span = np.ptp(points, axis=0)
    uv = (flat - points.min(axis=0)) / span
    uv[:, 1] = 1 - uv[:, 1]
    here = np.arange(count)
    after = (here + 1) % count
    faces = np.stack([here, after, np.full(count, count)], axis=1)[:, ::sign]
    normals = np.tile([0.0, 0.0, float(sign)], (count + 1, 1))
    vertices = np.column_stack([flat, np.full(count + 1, height)])
    return Mesh(vertices=vertices, normals=normals, uv=uv, faces=np.ascontiguousarray(faces, np.int32))


def tube(path: Sequence[Sequence[float]], width: float, depth: float, sides: int = 6) -> Mesh:
    """A bent bar of elliptic section with closed ends and a number of flat sides, for handles.

    Args:
        path: Points (x, z) [m] of its centre line, in the plane y = 0.
        width: Its size along y [m].
        depth: Its size in the plane of the path, perpendicular to it [m].
        sides: Number of flat sides.
    """
    line = np.array(path, dtype=np.float64)
    across = _outward(line)
    turn = np.linspace(0.0, 2 * np.pi, sides + 1)
    cosine, sine = np.cos(turn), np.sin(turn)
    offset = across[:, None, :] * cosine[None, :, None]
    flat = line[:, None, :] + depth / 2 * offset
    side = np.broadcast_to(width / 2 * sine, flat.shape[:2])
    vertices = np.stack([flat[..., 0], side, flat[..., 1]], axis=2)
    slope = np.broadcast_to(sine * depth / width, flat.shape[:2])
    normals = np.stack([offset[..., 0], slope, offset[..., 1]], axis=2)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    u, v = np.meshgrid(np.linspace(0, 1, sides + 1), np.linspace(1, 0, len(line)))
    faces = _grid_faces(len(line), sides + 1)
    uv = np.stack([u.ravel(), v.ravel()], axis=1)
    return Mesh(vertices=vertices.reshape(-1, 3), normals=normals.reshape(-1, 3), uv=uv, faces=faces)


def _grid_faces(rows: int, columns: int) -> FaceArray:
    """Triangles between neighbouring rows of points, with normals along (next column) x (next row)."""
    a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None, :]).ravel()
    b, c, d = a + 1, a + columns, a + columns + 1
    return np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]).astype(np.int32)


def _without_slivers(mesh: Mesh) -> Mesh:
    corners = mesh.vertices[mesh.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Mesh(vertices=mesh.vertices, normals=mesh.normals, uv=mesh.uv, faces=mesh.faces[area > 1e-10])


def _smooth_runs(points: FloatArray) -> list[FloatArray]:
    """Parts of a line of points (K, 2), cut where it bends sharply."""
    steps = np.diff(points, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    sharp = np.flatnonzero((steps[:-1] * steps[1:]).sum(axis=1) < CREASE) + 1
    ends = [0, *sharp.tolist(), len(points) - 1]
    return [points[start : end + 1] for start, end in pairwise(ends)]


def _outward(run: FloatArray) -> FloatArray:
    """Unit normals (K, 2) to the right of a line, averaged where its segments meet."""
    steps = np.diff(run, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    right = np.stack([steps[:, 1], -steps[:, 0]], axis=1)
    normals = np.concatenate([right[:1], right[:-1] + right[1:], right[-1:]])
    unit: FloatArray = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return unit
