"""Lays a repeating picture of a material on a surface, at its true size and with its grain along a chosen axis."""

from collections.abc import Sequence

import numpy as np

from ambidex.envs.objects.mesh import Mesh
from ambidex.envs.objects.shapes import box

SPAN = 0.25  # what a picture of a material shows by default [m]


def grained(mesh: Mesh, axis: int = 0, span: float = SPAN) -> Mesh:
    """The mesh with texture coordinates from its positions, seen along each normal's main axis.

    Args:
        mesh: A surface that repeating pictures may cover.
        axis: Axis (0, 1, 2) along which the picture's width lies, where the surface is not across it.
        span: Length that one picture covers [m].
    """
    facing = np.abs(mesh.normals).argmax(axis=1)
    along = np.where(facing == axis, (axis + 1) % 3, axis)
    across = 3 - facing - along
    rows = np.arange(len(facing))
    uv = np.column_stack([mesh.vertices[rows, along], -mesh.vertices[rows, across]]) / span
    return Mesh(vertices=mesh.vertices, normals=mesh.normals, uv=uv, faces=mesh.faces)


def board(low: Sequence[float], high: Sequence[float], axis: int = 0, span: float = SPAN) -> Mesh:
    """A box between two corners (3,) [m], of a material whose grain lies along an axis."""
    return grained(box(low, high), axis, span)
