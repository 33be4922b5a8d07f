"""Mirror images of models: every position and orientation reflected in the plane x = 0 of its frame."""

import mujoco
import numpy as np
from numpy.typing import ArrayLike

from ambidex.envs.types import FloatArray

FLIP_X = np.array([-1.0, 1.0, 1.0])
"""Signs of the coordinates of a point or a vector."""
FLIP_TURN = np.array([1.0, -1.0, -1.0])
"""Signs of the components of an axis of rotation, or of an angular velocity."""
FLIP_QUATERNION = np.array([1.0, 1.0, -1.0, -1.0])
"""Signs of the components (wxyz) of an orientation."""


def reflect(spec: mujoco.MjSpec) -> mujoco.MjSpec:
    """Turn a model into its mirror image, in place; e.g. a drawer is as far open at the same joint position."""
    for body in spec.bodies[1:]:
        _reflect_frame(body)
        body.ipos, body.iquat = body.ipos * FLIP_X, body.iquat * FLIP_QUATERNION
    for placed in (*spec.geoms, *spec.sites):
        _reflect_frame(placed)
        placed.fromto = placed.fromto * np.tile(FLIP_X, 2)
    for joint in spec.joints:
        is_slide = joint.type == mujoco.mjtJoint.mjJNT_SLIDE
        joint.pos, joint.axis = joint.pos * FLIP_X, joint.axis * (FLIP_X if is_slide else FLIP_TURN)
    for mesh in spec.meshes:
        mesh.uservert, mesh.usernormal = _flipped(mesh.uservert), _flipped(mesh.usernormal)
        for faces in ("userface", "userfacenormal", "userfacetexcoord"):
            inside_out = np.array(getattr(mesh, faces), np.int32).reshape(-1, 3)
            setattr(mesh, faces, inside_out[:, ::-1].ravel())
    return spec


def _reflect_frame(element: mujoco.MjsBody | mujoco.MjsGeom | mujoco.MjsSite) -> None:
    element.pos, element.quat = element.pos * FLIP_X, element.quat * FLIP_QUATERNION


def _flipped(points: ArrayLike) -> FloatArray:
    return np.asarray((np.reshape(points, (-1, 3)) * FLIP_X).ravel())
