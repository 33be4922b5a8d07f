"""Which geoms are asked about in one question about contacts."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.errors import UsageError

Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.int32]
AFFINITIES = 8  # bits that contype and conaffinity take, each


@dataclass(frozen=True, eq=False)
class Meeting:
    """Two sides. Only contacts between them are looked for, which is what makes a question cheap.

    Attributes:
        own: The geoms of one side, shape (geoms,).
        others: Those of the other, shape (geoms,).
        masks: What a model calls geom_contype, geom_conaffinity, body_contype and body_conaffinity.
    """

    own: Mask
    others: Mask
    masks: tuple[Bits, Bits, Bits, Bits]

    @classmethod
    def between(cls, model: mujoco.MjModel, own: Mask, others: Mask) -> "Meeting":
        """Two sides that meet where the model, with masks nobody has touched, lets them collide.

        Raises:
            UsageError: A mask of the model has bits for which there is no room.
        """
        _check_room(model)
        # A pair collides if contype and conaffinity agree one way or the other: both ways, side by side, in one mask.
        one = own * (model.geom_contype | model.geom_conaffinity << AFFINITIES)
        other = others * (model.geom_conaffinity | model.geom_contype << AFFINITIES)
        return cls(own, others, (one, other, _of_bodies(model, one), _of_bodies(model, other)))

    def arrange(self, model: mujoco.MjModel) -> None:
        """Let collision in a model see the two sides and nothing else."""
        model.geom_contype[:], model.geom_conaffinity[:], model.body_contype[:], model.body_conaffinity[:] = self.masks


def _check_room(model: mujoco.MjModel) -> None:
    """Refuse masks that would run into each other."""
    wide = (model.geom_contype | model.geom_conaffinity) >> AFFINITIES != 0  # of a negative one too
    if wide.any():
        geom = model.geom(int(np.argmax(wide)))
        raise UsageError(
            f"Which geoms may collide is looked up with {AFFINITIES} bits each of contype and conaffinity, and geom "
            f"{geom.id} ({geom.name or 'without a name'}) of body {model.body(geom.bodyid[0]).name} has contype "
            f"{geom.contype[0]} and conaffinity {geom.conaffinity[0]}: {wide.sum()} of {model.ngeom} geoms have more. "
            f"Keep both from 0 to {2**AFFINITIES - 1} in the model, or play this task without its expert."
        )


def _of_bodies(model: mujoco.MjModel, geoms: Bits) -> Bits:
    """The masks of all geoms of each body in one."""
    bodies = np.zeros(model.nbody, np.int32)
    np.bitwise_or.at(bodies, model.geom_bodyid, geoms.astype(np.int32))
    return bodies
