"""Another initial configuration of the robot."""

import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation
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

    def __init__(self, clean: Clean, level: int) -> None:
        super().__init__(clean, level)
        model, arms = clean.scene.model, clean.scene.robot.arms
        self._joints = {arm.name: [int(model.joint(name).qposadr[0]) for name in arm.joints] for arm in arms}
        self._ranges = {arm.name: np.array([model.joint(name).range for name in arm.joints]) for arm in arms}

    def draw(self, rng: np.random.Generator) -> Drawn:
        (distance,) = self.strength
        self._candidates = [
            {arm: _unit(rng, len(joints)) for arm, joints in self._joints.items()} for _ in range(ATTEMPTS)
        ]
        return {"distance_rad": distance}

    def change_initial_state(self, scene: Scene) -> Drawn:
        clean = scene.state()
        chosen = next((found for found in self._candidates if self._is_free(scene, clean, found)), None)
        if chosen is None:
            problem = f"Perturbation robot_start: none of {ATTEMPTS} directions leaves the robot free of contacts."
            raise EpisodeStartError(problem, task=self.clean.spec.task)
        self._move(scene, clean, chosen, self.strength[0])
        return {
            f"{name}_rad": float(self.strength[0] * part)
            for arm in scene.robot.arms
            for name, part in zip(arm.joints, chosen[arm.name], strict=True)
        }

    def _is_free(self, scene: Scene, clean: FloatArray, directions: dict[str, FloatArray]) -> bool:
        return all(self._move(scene, clean, directions, distance) for (distance,) in self.strengths)

    def _move(self, scene: Scene, clean: FloatArray, directions: dict[str, FloatArray], distance: float) -> bool:
        """Put the robot there; returns whether it touches nothing and is within its joints' ranges."""
        scene.set_state(clean)
        within = True
        for arm, joints in self._joints.items():
            scene.data.qpos[joints] += distance * directions[arm]
            low, high = self._ranges[arm].T
            within &= bool(((scene.data.qpos[joints] >= low) & (scene.data.qpos[joints] <= high)).all())
        scene.hold_robot()
        scene.refresh()
        return within and not _robot_touches(scene)


def _robot_touches(scene: Scene) -> bool:
    """Whether any part of an arm is in contact with anything, itself included."""
    model = scene.model
    roots = {int(model.body_weldid[model.jnt_bodyid[model.joint(arm.joints[0]).id]]) for arm in scene.robot.arms}
    parts = np.array([_is_below(scene, int(body), roots) for body in model.geom_bodyid])
    return bool(parts[scene.data.contact.geom].any())


def _is_below(scene: Scene, body: int, roots: set[int]) -> bool:
    while body and body not in roots:
        body = int(scene.model.body_parentid[body])
    return body in roots


def _unit(rng: np.random.Generator, size: int) -> FloatArray:
    direction = rng.normal(size=size)
    return np.asarray(direction / np.linalg.norm(direction))
