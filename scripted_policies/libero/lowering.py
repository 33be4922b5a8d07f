"""How far a thing can be lowered until it comes to rest: tried in a copy of the world."""

import numpy as np
import numpy.typing as npt

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.geom_boxes import GeomBoxes
from ambidex.scripted_policies.libero.meeting import Mask
from ambidex.scripted_policies.libero.probe import Probe

COARSE, FINE = 0.006, 0.001  # steps of lowering a thing [m]
APART = 1e-6  # between boxes that surely do not touch [m]


class Lowering:
    """Lowers things in a probe's copy of the world."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._room = self._immovable()
        self._around: tuple[str, int] = "", 0
        self._surroundings = GeomBoxes.around(probe.model, probe.data, np.arange(0))

    def rest_height(self, thing: str, above: Pose, depth: float, support: str | None = None) -> float | None:
        """Height of the thing's frame when lowered from a pose until it touches, the arm aside [m].

        None when it touches something at once, or nothing within `depth`, or something besides the support.

        Args:
            thing: What is lowered.
            above: From where.
            depth: How far at most [m].
            support: Thing that it may come to touch, "" for the room; None for anything.
        """
        if self._probe.touches(thing, above):
            return None
        free = self._free(thing)
        steps = np.arange(COARSE, depth, COARSE)
        low = next((s for s in steps[steps > free] if self._probe.touches(thing, above.shifted((0.0, 0.0, -s)))), None)
        if low is None:
            return None
        fine = low - COARSE
        while fine < low and (
            fine + FINE < free or not self._probe.touches(thing, above.shifted((0.0, 0.0, -fine - FINE)))
        ):
            fine += FINE
        lowest = above.shifted((0.0, 0.0, -fine - FINE))
        if support is not None and not self._belongs(self._touched(thing, lowest), support):
            return None
        return float(above.position[2] - fine)

    def _touched(self, thing: str, pose: Pose) -> npt.NDArray[np.intp]:
        """Geoms that a thing touches at a pose, the robot's left out."""
        if not self._probe.touches(thing, pose):
            return np.empty(0, np.intp)
        contact = self._probe.data.contact
        geoms = contact.geom[contact.dist < 0.0].ravel()
        return np.asarray(geoms[~self._probe.geoms_of(thing)[geoms]], np.intp)

    def _free(self, thing: str) -> float:
        """How far a thing surely sinks from where it was looked at before it touches anything [m]."""
        probe, sides = self._probe, self._probe.sides(thing)
        if self._around != (thing, probe.shuffles):
            self._around = thing, probe.shuffles
            self._surroundings = GeomBoxes.around(probe.model, probe.data, np.flatnonzero(sides.others))
        own = GeomBoxes.around(probe.model, probe.data, np.flatnonzero(sides.own))
        return own.fall(self._surroundings) - APART

    def _belongs(self, geoms: npt.NDArray[np.intp], support: str) -> bool:
        """Whether all geoms are of one thing, or of the room if it is ""."""
        return bool((self._probe.geoms_of(support) if support else self._room)[geoms].all())

    def _immovable(self) -> Mask:
        """Geoms of what belongs to the room: neither a thing nor a fixture nor the robot."""
        model = self._probe.model
        movable = [*model.body_rootid[model.jnt_bodyid], *np.flatnonzero(model.body_mocapid >= 0)]
        return ~np.isin(model.body_rootid[model.geom_bodyid], movable)
