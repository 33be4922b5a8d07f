"""Contacts between parts of a model. They are read once per state."""

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.errors import UnknownNameError

Mask = npt.NDArray[np.bool_]


class Contacts:
    """Contacts between groups of geoms, given by their ids, and between bodies with everything attached to them."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, groups: Mapping[str, Sequence[int]]) -> None:
        self._model, self._data = model, data
        self._groups = {name: frozenset(ids) for name, ids in groups.items()}
        self._subtrees: dict[str, frozenset[int]] = {}
        self._pairs: set[tuple[int, ...]] | None = None

    def invalidate(self) -> None:
        """Read the contacts again when needed, as the state has changed."""
        self._pairs = None

    def groups_touch(self, a: str, b: str) -> bool:
        """Whether any geom of group `a` is in contact with any geom of group `b`.

        The name of a body stands for all geoms of it and of everything attached to it, unless it names a group.

        Raises:
            UnknownNameError: No such group, and no such body.
        """
        return self._any(self._group(a), self._group(b))

    def bodies_touch(self, a: str, b: str) -> bool:
        """Whether body `a` or anything attached to it is in contact with body `b` or anything attached to it.

        Raises:
            UnknownNameError: No such body.
        """
        return self._any(self._subtree(a), self._subtree(b))

    def _group(self, name: str) -> frozenset[int]:
        found = self._groups.get(name)
        return self._subtree(name) if found is None else found

    def _any(self, first: frozenset[int], second: frozenset[int]) -> bool:
        # Sets: there are few pairs, for which operations on arrays take thirty times as long.
        if self._pairs is None:
            self._pairs = set(map(tuple, self._data.contact.geom.tolist()))
        return any((a in first and b in second) or (b in first and a in second) for a, b in self._pairs)

    def _subtree(self, body: str) -> frozenset[int]:
        if body not in self._subtrees:
            self._subtrees[body] = frozenset(np.flatnonzero(subtree_geoms(self._model, body)).tolist())
        return self._subtrees[body]


def subtree_geoms(model: mujoco.MjModel, body: str) -> Mask:
    """Mask of the geoms of a body and of all bodies below it, shape (ngeom,).

    Raises:
        UnknownNameError: There is no such body.
    """
    root = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY.value, body)
    if root < 0:
        raise UnknownNameError("body", body, (model.body(i).name for i in range(model.nbody)))
    inside = np.zeros(model.nbody, bool)
    inside[root] = True
    for i in range(root + 1, model.nbody):  # parents come before their children
        inside[i] = inside[model.body_parentid[i]]
    return np.asarray(inside[model.geom_bodyid])
