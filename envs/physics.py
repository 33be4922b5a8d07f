"""How the world is stepped."""

from dataclasses import dataclass

import mujoco


@dataclass(frozen=True, kw_only=True)
class Physics:
    """Solver options of a composed world.

    Attributes:
        timestep: Physics step [s]; the control period is a whole number of them.
        integrator: How velocities are integrated.
        cone: Friction cone.
        impratio: Stiffness of friction relative to that of normal forces; more lets grasped things slip less.
        iterations: Most solver iterations a step.
        tolerance: Improvement at which the solver stops.
    """

    timestep: float
    integrator: mujoco.mjtIntegrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    cone: mujoco.mjtCone = mujoco.mjtCone.mjCONE_ELLIPTIC
    impratio: float = 10.0
    iterations: int = 20
    tolerance: float = 1e-8

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Set the options of a world. It is never restarted by itself when it becomes unstable."""
        option = spec.option
        option.timestep, option.integrator = self.timestep, self.integrator
        option.cone, option.impratio = self.cone, self.impratio
        option.iterations, option.tolerance = self.iterations, self.tolerance
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET.value
