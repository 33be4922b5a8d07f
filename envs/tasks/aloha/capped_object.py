"""What tasks have in common in which a cap comes off another object."""

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Task, UniformPose

CAP_ON_SEAT = "cap_on_seat"
"""Name of the constraint that holds the cap."""


class CappedObjectTask(Task):
    """The second prop is a cap, welded to its seat, a part of the first prop, until the seat has moved far enough.

    The seat has a joint `<seat>_joint`, with which the cap turns or slides until it is free, and stays where the cap
    has left it. Whether the cap is on is part of the integration state: `eq_active`.

    Attributes:
        seat: Body that the cap sits on.
        cap_on_object: Pose of the cap relative to the first prop at the beginning.
        frees_at: Position of the seat's joint from which on the cap is free [m or rad].
        stiffness: `solref` of the weld.
        impedance: `solimp` of the weld.
    """

    seat: str
    cap_on_object: Pose
    frees_at: float
    stiffness: tuple[float, float]
    impedance: tuple[float, float, float, float, float] = (0.9, 0.95, 0.001, 0.5, 2.0)  # MuJoCo's default

    def finish_model(self, spec: mujoco.MjSpec) -> None:
        """Weld the cap to its seat."""
        weld = spec.add_equality(name=CAP_ON_SEAT, type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY)
        weld.name1, weld.name2 = self.seat, self.props[1].body
        weld.data[:11] = (*(0, 0, 0), *(0, 0, 0), *(1, 0, 0, 0), 1)  # anchor, pose of the cap, scale of the torque
        weld.solref, weld.solimp = self.stiffness, self.impedance

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Put the object on the table, with its cap on."""
        capped, cap = self.props
        pose = capped.initial_poses[spread].sample(rng)
        scene.reset({capped.body: pose, cap.body: pose @ self.cap_on_object})

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        return {}  # the perturbation that moves objects would leave the cap behind

    def update_constraints(self, scene: Scene) -> bool:
        """Let the cap go when its seat has moved far enough."""
        if not cap_is_on(scene) or not self.cap_is_free(scene):
            return False
        scene.data.eq_active[scene.model.equality(CAP_ON_SEAT).id] = 0
        return True

    def seat_position(self, scene: Scene) -> float:
        """How far the seat has moved along or about its joint [m or rad]."""
        return scene.joint_position(f"{self.seat}_joint")

    def cap_is_free(self, scene: Scene) -> bool:
        """Whether the seat has moved so far that the cap comes off."""
        return self.seat_position(scene) >= self.frees_at


def cap_is_on(scene: Scene) -> bool:
    """Whether the weld still holds the cap."""
    return bool(scene.data.eq_active[scene.model.equality(CAP_ON_SEAT).id])
