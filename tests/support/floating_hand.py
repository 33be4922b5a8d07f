"""A hand with the Panda's fingers that moves vertically on a rail, above one object on a table."""

import mujoco
import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.objects.registry import object_spec
from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.geometry import box_corners

TIMESTEP = 0.0025  # [s]
STROKE, FORCE = 0.04, 20.0  # of a finger [m], [N]
FINGERS = {"finger1": 1.0, "finger2": -1.0}
RAIL_GAIN, RAIL_DAMPING = 20_000.0, 800.0  # [N/m], [N s/m]


def bottom(category: str) -> float:
    """Height of an object's lowest point above its origin, as it stands initially [m]."""
    return float(box_corners(category, np.array(object_properties(category).initial_orientation))[:, 2].min())


class FloatingHand:
    """Holds an object of a category and lifts it.

    Args:
        category: Category of the object, which stands at the origin as in LIBERO's initial states.
        tool: Pose of the grip site in its frame.
    """

    def __init__(self, category: str, tool: Pose) -> None:
        spec = mujoco.MjSpec()
        spec.option.timestep, spec.option.cone, spec.option.impratio = TIMESTEP, mujoco.mjtCone.mjCONE_ELLIPTIC, 10.0
        standing = Pose.at((0.0, 0.0, -bottom(category)), object_properties(category).initial_orientation)
        spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.5, 0.5, 0.02), pos=(0, 0, -0.02))
        frame = spec.worldbody.add_frame(pos=standing.position, quat=standing.quaternion)
        spec.attach(object_spec(category), frame=frame, prefix="object_")
        spec.body("object_main").add_freejoint()
        _add_hand(spec, standing @ tool)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._fingers(STROKE)
        for finger in FINGERS:
            self.data.joint(finger).qpos = STROKE
        mujoco.mj_forward(self.model, self.data)

    @property
    def deepest(self) -> float:
        """Depth of the deepest contact [m]."""
        return float(-min(self.data.contact.dist, default=0.0))

    @property
    def object_pose(self) -> Pose:
        """Pose of the object."""
        view = self.data.body("object_main")
        return Pose(view.xpos.copy(), view.xquat.copy())

    def lift(self, distance: float, seconds: float) -> None:
        """Close the fingers, then go up."""
        self._fingers(0.0)
        mujoco.mj_step(self.model, self.data, round(0.6 / TIMESTEP))
        for part in np.linspace(0.0, 1.0, round(seconds / TIMESTEP)):
            self.data.actuator("rail").ctrl = part * distance
            mujoco.mj_step(self.model, self.data)

    def wait(self, seconds: float) -> None:
        mujoco.mj_step(self.model, self.data, round(seconds / TIMESTEP))

    def _fingers(self, opening: float) -> None:
        for finger in FINGERS:
            self.data.actuator(finger).ctrl = opening


def _add_hand(spec: mujoco.MjSpec, tool: Pose) -> None:
    carriage = spec.worldbody.add_body(name="carriage", pos=tool.position, gravcomp=1.0)
    carriage.add_joint(name="rail", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, 0, 1))
    hand = carriage.add_body(name="hand", quat=tool.quaternion, gravcomp=1.0)
    box = mujoco.mjtGeom.mjGEOM_BOX
    hand.add_geom(name="palm", type=box, size=(0.028, 0.1, 0.033), pos=(0, 0, -0.067), mass=1.0)
    _add_servo(spec, "rail", RAIL_GAIN, RAIL_DAMPING, 1000.0)
    for name, side in FINGERS.items():
        finger = hand.add_body(name=name, pos=(0, 0, -0.0446), gravcomp=1.0)
        slide = finger.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, side, 0), armature=1.0)
        slide.damping = [100.0, 0.0, 0.0]
        finger.add_geom(type=box, pos=(0, 0.0145 * side, 0.0265), size=(0.009, 0.0065, 0.0265), mass=0.1)
        pad = finger.add_geom(type=box, pos=(0, 0.004 * side, 0.0446), size=(0.008, 0.004, 0.008), mass=0.01)
        pad.condim, pad.friction, pad.solref = 4, (2.0, 0.05, 0.0001), (0.01, 1.0)
        _add_servo(spec, name, 1000.0, 0.0, FORCE)


def _add_servo(spec: mujoco.MjSpec, joint: str, gain: float, damping: float, force: float) -> None:
    servo = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    servo.gainprm[0] = gain
    servo.biastype = mujoco.mjtBias.mjBIAS_AFFINE
    servo.biasprm[1:3] = -gain, -damping
    servo.forcelimited, servo.forcerange = True, (-force, force)
