"""Which atoms of the goal hold in a scene, whether the robot has released everything, and whether it is at rest."""

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.bddl.problem import Problem
from ambidex.envs.tasks.libero.composition import free_joint_name
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld, body_name
from ambidex.envs.types import FloatArray

ARM = "link0"  # the body that carries the arm and the fingers
MAX_SPEED = 0.01  # of a body or a drawer at rest [m/s]
MAX_SPIN = 0.1  # of a body, a door or a knob at rest [rad/s]


class GoalMonitor:
    """Evaluates the goal of a definition in a scene. The atoms are evaluated once per state."""

    def __init__(self, scene: Scene, problem: Problem, arena: Arena) -> None:
        self._scene, self._problem = scene, problem
        self._world = ModelWorld(scene.model, scene.data, problem, arena, scene.bodies_touch)
        owners = dict.fromkeys(problem.owner(name) for atom in problem.goal for name in atom.arguments)
        self._instances = tuple(owner for owner in owners if owner != problem.workspace)
        self._arm = scene.robot.prefixes[0] + ARM
        self._dofs, self._limits = _speed_limits(scene.model, problem, self._instances)
        self._version = -1
        self._atoms: dict[str, bool] = {}

    def atoms(self) -> dict[str, bool]:
        """Whether each atom of the goal holds, in their order."""
        if self._version != self._scene.state_version:
            self._atoms = {str(atom): holds(self._world, atom) for atom in self._problem.goal}
            self._version = self._scene.state_version
        return self._atoms

    def touched(self) -> bool:
        """Whether the robot touches an object or fixture of the goal."""
        return any(self._scene.bodies_touch(self._arm, body_name(instance)) for instance in self._instances)

    def at_rest(self) -> bool:
        """Whether all objects and fixtures of the goal are at rest."""
        return bool((np.abs(self._scene.data.qvel[self._dofs]) <= self._limits).all())


def _speed_limits(
    model: mujoco.MjModel, problem: Problem, instances: tuple[str, ...]
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The degrees of freedom of the instances, and the speed limit of each at rest."""
    dofs: list[int] = []
    limits: list[float] = []
    for instance in instances:
        if instance in problem.objects:
            first = int(model.joint(free_joint_name(instance)).dofadr[0])
            dofs += range(first, first + 6)
            limits += [MAX_SPEED] * 3 + [MAX_SPIN] * 3
            continue
        root = model.body(body_name(instance)).id
        for joint in np.flatnonzero(model.body_rootid[model.jnt_bodyid] == root):
            dofs.append(int(model.jnt_dofadr[joint]))
            slides = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE.value
            limits.append(MAX_SPEED if slides else MAX_SPIN)
    return np.array(dofs, np.intp), np.array(limits)
