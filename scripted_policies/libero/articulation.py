"""A drawer, door or knob, and where what moves with it will be."""

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray


class Articulation:
    """One joint of a fixture."""

    def __init__(self, scene: Scene, joint: str) -> None:
        self._scene = scene
        self.joint = joint
        self._slides = scene.model.joint(joint).type[0] == mujoco.mjtJoint.mjJNT_SLIDE.value

    @property
    def position(self) -> float:
        """Where it is [m or rad]."""
        return float(self._scene.data.joint(self.joint).qpos[0])

    @property
    def axis(self) -> FloatArray:
        """Its axis in the world, shape (3,)."""
        return np.asarray(self._scene.data.joint(self.joint).xaxis.copy())

    def carried(self, pose: Pose, change: float) -> Pose:
        """Where a pose fixed to the moving part will be when the joint has moved by `change` [m or rad]."""
        if self._slides:
            return pose.shifted(change * self.axis)
        anchor = self._scene.data.joint(self.joint).xanchor
        turn = quaternion_about(self.axis, change)
        moved = Pose.at(anchor, turn) @ Pose.at(pose.position - anchor)
        return Pose(moved.position, quaternion_product(turn, pose.quaternion))
