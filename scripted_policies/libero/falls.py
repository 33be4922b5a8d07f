"""Whether things that fall come to rest where an atom holds; what was tried is remembered until the world moves on."""

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld
from ambidex.scripted_policies.libero.fall import Fall

OFF = ((0.0, 0.0, 0.0), (0.005, 0.004, 0.0))  # where else a thing may come loose [m]
ENOUGH = 16  # poses tried before everything is taken for good


class Falls:
    """Tries falls of things.

    Args:
        fall: A copy of the world.
        world: What predicates ask of it.
    """

    def __init__(self, fall: Fall, world: ModelWorld) -> None:
        self._fall, self._world = fall, world
        self._tried: dict[tuple[object, ...], bool] = {}
        self._moment = fall.moment

    def reach(self, atom: Atom, pose: Pose) -> bool:
        """Whether the first argument of an atom, let go at a pose, comes to rest where the atom holds."""
        if self._moment != self._fall.moment:
            self._tried, self._moment = {}, self._fall.moment
        key = (atom, *np.round([*pose.position, *pose.quaternion], 3).tolist())
        if key not in self._tried and len(self._tried) < ENOUGH:
            self._tried[key] = all(self._reaches(atom, pose.shifted(off)) for off in OFF)
        return self._tried.get(key, True)

    def _reaches(self, atom: Atom, pose: Pose) -> bool:
        return self._fall.settles(atom.arguments[0], pose) and holds(self._world, atom)
