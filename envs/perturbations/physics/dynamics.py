"""Mass and friction of objects, damping and gains of the robot's joints."""

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation


class Dynamics(Perturbation):
    """Factors of the masses of loose objects, of the friction of all contacts, and of the damping and gains of arms."""

    # largest factor of masses, lowest of friction, largest of damping, and of gains
    strengths = (
        (1.1, 0.9, 1.1, 1.05),
        (1.25, 0.75, 1.25, 1.1),
        (1.5, 0.6, 1.5, 1.2),
        (2, 0.45, 2, 1.35),
        (3, 0.3, 3, 1.5),
    )
    model_fields = ("body_mass", "body_inertia", "geom_friction", "dof_damping", "actuator_gainprm", "actuator_biasprm")
    sets_constants = True

    def __init__(self, clean: Clean, level: int) -> None:
        super().__init__(clean, level)
        model, arms = clean.scene.model, clean.scene.robot.arms
        free = model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value
        self._objects = model.jnt_bodyid[free]
        self._dofs = np.array([int(model.joint(name).dofadr[0]) for arm in arms for name in arm.joints])
        self._actuators = np.array([model.actuator(name).id for arm in arms for name in arm.actuators])

    def draw(self, rng: np.random.Generator) -> Drawn:
        mass, friction, damping, gain = self.strength
        self._mass = float(mass ** rng.uniform(-1.0, 1.0))
        self._friction = float(friction ** rng.uniform())
        self._damping = float(damping ** rng.uniform(-1.0, 1.0))
        self._gain = float(gain ** rng.uniform(-1.0, 1.0))
        return {
            "mass_factor": self._mass,
            "friction_factor": self._friction,
            "damping_factor": self._damping,
            "gain_factor": self._gain,
        }

    def change_model(self, model: mujoco.MjModel) -> None:
        model.body_mass[self._objects] *= self._mass
        model.body_inertia[self._objects] *= self._mass
        model.geom_friction[:] *= self._friction
        model.dof_damping[self._dofs] *= self._damping
        model.actuator_gainprm[self._actuators] *= self._gain
        model.actuator_biasprm[self._actuators] *= self._gain
