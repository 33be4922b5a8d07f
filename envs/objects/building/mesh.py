"""Triangle meshes with normals and texture coordinates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ambidex.envs.simulation.pose import quaternion_about, rotation_matrix
from ambidex.envs.types import FloatArray, ImageArray

Colour = tuple[float, float, float]  # red, green, blue, 0 to 1
FaceArray = npt.NDArray[np.int32]

_DOWN = quaternion_about((1.0, 0.0, 0.0), -np.pi / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """A surface. Vertices at a crease are duplicated, once for each normal.

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

    def translated(self, position: object) -> "Mesh":
        """Shifted by `position` (3,) [m]."""
        return Mesh(vertices=self.vertices + np.asarray(position), normals=self.normals, uv=self.uv, faces=self.faces)

    def rotated(self, quaternion: FloatArray) -> "Mesh":
        """Rotated about the origin by a unit quaternion (wxyz)."""
        rotation = rotation_matrix(quaternion).T
        return Mesh(vertices=self.vertices @ rotation, normals=self.normals @ rotation, uv=self.uv, faces=self.faces)

    def scaled(self, factors: object) -> "Mesh":
        """Scaled along x, y and z by `factors` (3,), all positive."""
        scale = np.asarray(factors, dtype=np.float64)
        normals = self.normals / scale
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return Mesh(vertices=self.vertices * scale, normals=normals, uv=self.uv, faces=self.faces)

    def fitted_to(self, low: object, high: object) -> "Mesh":
        """Scaled and translated so that it fills the box from `low` to `high`, each (3,) [m]."""
        least, most = self.vertices.min(axis=0), self.vertices.max(axis=0)
        factors = (np.asarray(high) - np.asarray(low)) / (most - least)
        return self.translated(-least).scaled(factors).translated(low)


def merge(*meshes: Mesh) -> Mesh:
    """Several meshes as one, which is rendered faster."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        faces=np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]).astype(np.int32),
    )


def lay_down(mesh: Mesh) -> Mesh:
    """Rotated so that +z becomes +y, and -y becomes +z. Bottles, cans and cartons are modelled upright."""
    return mesh.rotated(_DOWN)


def rotate_label(label: ImageArray) -> ImageArray:
    """Rotate a label so that its lines run along +y on an object that is laid down, upright as seen from +x."""
    return np.ascontiguousarray(np.rot90(label))
