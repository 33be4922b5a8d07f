"""Bottles, cans and cartons are drawn upright and laid down along +y."""

import numpy as np

from ambidex.envs.objects.mesh import Mesh
from ambidex.envs.pose import quaternion_about
from ambidex.envs.types import ImageArray

_DOWN = quaternion_about((1.0, 0.0, 0.0), -np.pi / 2)


def laid_down(mesh: Mesh) -> Mesh:
    """Turned so that what pointed up points along +y, and what faced -y faces up."""
    return mesh.turned(_DOWN)


def along(label: ImageArray) -> ImageArray:
    """A label whose lines run up the upright thing, and so along +y when it lies, letters upright as seen from +x."""
    return np.ascontiguousarray(np.rot90(label))
