"""Triangles with normals and texture coordinates."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.simulation.pose import quaternion_about
from ambidex.envs.types import FloatArray, ImageArray

FaceArray = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """A surface to look at. Vertices at a crease are there twice, once for each normal.

    Attributes:
        vertices: Shape (N, 3), [m].
        normals: Shape (N, 3), unit length, pointing out.
        uv: Shape (N, 2), texture coordinates; (0, 0) is the image's upper left corner.
        faces: Shape (M, 3), vertex indices, counter-clockwise from outside.
    """

    vertices: FloatArray
    normals: FloatArray
    uv: FloatArray
    faces: FaceArray

    def moved(self, position: object) -> "Mesh":
        """Shifted by `position` (3,) [m]."""
        return Mesh(vertices=self.vertices + np.asarray(position), normals=self.normals, uv=self.uv, faces=self.faces)

    def turned(self, quaternion: FloatArray) -> "Mesh":
        """Turned about the origin by a unit quaternion (wxyz)."""
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, quaternion)
        rotation = matrix.reshape(3, 3).T
        return Mesh(vertices=self.vertices @ rotation, normals=self.normals @ rotation, uv=self.uv, faces=self.faces)

    def stretched(self, factors: object) -> "Mesh":
        """Scaled along x, y and z by `factors` (3,), all positive."""
        scale = np.asarray(factors, dtype=np.float64)
        normals = self.normals / scale
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return Mesh(vertices=self.vertices * scale, normals=normals, uv=self.uv, faces=self.faces)

    def within(self, low: object, high: object) -> "Mesh":
        """Stretched and moved so that it fills the box from `low` to `high`, each (3,) [m]."""
        least, most = self.vertices.min(axis=0), self.vertices.max(axis=0)
        factors = (np.asarray(high) - np.asarray(low)) / (most - least)
        return self.moved(-least).stretched(factors).moved(low)


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes as one, so that they are drawn with one material in one go."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        faces=np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]).astype(np.int32),
    )


# FOLDED envs.objects.lying: Bottles, cans and cartons are drawn upright and laid down along +y.

_DOWN = quaternion_about((1.0, 0.0, 0.0), -np.pi / 2)


def laid_down(mesh: Mesh) -> Mesh:
    """Turned so that what pointed up points along +y, and what faced -y faces up."""
    return mesh.turned(_DOWN)


def along(label: ImageArray) -> ImageArray:
    """A label whose lines run up the upright thing, and so along +y when it lies, letters upright as seen from +x."""
    return np.ascontiguousarray(np.rot90(label))
