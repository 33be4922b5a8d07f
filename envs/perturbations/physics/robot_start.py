"""Another initial configuration of the robot."""

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Level, Perturbation, random_direction
from ambidex.envs.simulation.contacts import Mask
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray
from ambidex.errors import EpisodeStartError

ATTEMPTS = 100


class RobotStart(Perturbation):
    """Each arm starts at a distance in joint space from its usual configuration, in a random direction.

    The distances are those of LIBERO-plus. A direction is drawn again if at any level the robot would touch something
    or leave its joints' ranges there, so the direction of an episode is the same at all levels.
    """

    strengths = ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,))  # [rad], 2-norm over the joints of an arm

    def __init__(self, clean: Clean, level: Level) -> None:
        super().__init__(clean, level)
        model, arms = clean.scene.model, clean.scene.robot.arms
        self._joints = {arm.name: [int(model.joint(name).qposadr[0]) for name in arm.joints] for arm in arms}
        self._ranges = {arm.name: np.array([model.joint(name).range for name in arm.joints]) for arm in arms}
        self._robot = _robot_geoms(clean.scene)

    def draw(self, rng: np.random.Generator) -> Drawn:
        (distance,) = self.strength
        self._candidates = [
            {arm: random_direction(rng, len(joints)) for arm, joints in self._joints.items()} for _ in range(ATTEMPTS)
        ]
        return {"distance_rad": distance}

    def change_initial_state(self, scene: Scene) -> Drawn:
        state, usual = scene.state(), scene.data.qpos.copy()
        chosen = next((found for found in self._candidates if self._is_free(scene, usual, found)), None)
        if chosen is None:
            problem = f"Perturbation robot_start: none of {ATTEMPTS} directions leaves the robot free of contacts."
            raise EpisodeStartError(problem, task=self.clean.spec.task)
        scene.set_state(state)
        self._move(scene, chosen, self.strength[0])
        scene.hold_robot()
        scene.refresh()
        return {
            f"{name}_rad": float(self.strength[0] * part)
            for arm in scene.robot.arms
            for name, part in zip(arm.joints, chosen[arm.name], strict=True)
        }

    def _is_free(self, scene: Scene, usual: FloatArray, directions: dict[str, FloatArray]) -> bool:
        return all(self._is_free_at(scene, usual, directions, distance) for (distance,) in self.strengths)

    def _is_free_at(self, scene: Scene, usual: FloatArray, directions: dict[str, FloatArray], distance: float) -> bool:
        """Whether the robot touches nothing, itself included, and is within its joints' ranges."""
        model, data = scene.model, scene.data
        data.qpos[:] = usual
        self._move(scene, directions, distance)
        if not all(self._is_within(arm, data.qpos) for arm in self._joints):
            return False
        mujoco.mj_kinematics(model, data)  # contacts depend on no other part of a step
        mujoco.mj_collision(model, data)
        return not self._robot[data.contact.geom].any()

    def _move(self, scene: Scene, directions: dict[str, FloatArray], distance: float) -> None:
        for arm, joints in self._joints.items():
            scene.data.qpos[joints] += distance * directions[arm]

    def _is_within(self, arm: str, qpos: FloatArray) -> bool:
        low, high = self._ranges[arm].T
        return bool(((qpos[self._joints[arm]] >= low) & (qpos[self._joints[arm]] <= high)).all())


def _robot_geoms(scene: Scene) -> Mask:
    """Which geoms are parts of an arm, shape (ngeom,)."""
    model = scene.model
    inside = np.zeros(model.nbody, bool)
    inside[[model.body_weldid[model.jnt_bodyid[model.joint(arm.joints[0]).id]] for arm in scene.robot.arms]] = True
    for body in range(1, model.nbody):  # parents come before their children
        inside[body] |= inside[model.body_parentid[body]]
    return np.asarray(inside[model.geom_bodyid])
