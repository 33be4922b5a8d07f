"""Skills of experts for two-armed tasks: pick, place, carry together, move what is joined to something.

Each is a generator like those of `arm_motion`, which they are composed of, or gives a goal or a path to such a motion.
"""

import math
from collections.abc import Sequence
from itertools import zip_longest

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.arm_motion import ArmMotion, Goal, Motion, Path, interpolate

CLEARANCE = 0.08  # height above an object before grasping it, and after putting it down [m]
LOWERING_SPEED = 0.4  # while an object is lowered, as a factor on the usual speed
TRIES = 3
SLIDE = mujoco.mjtJoint.mjJNT_SLIDE.value


def pick(
    arm: ArmMotion,
    body: str,
    grasp: Goal,
    *,
    above: Pose | None = None,
    clearance: float = CLEARANCE,
    opening: float = 1.0,
    lowering: float = 1.0,
) -> Motion:
    """Grasp an object from above and lift it; once more if it is not in the hand then.

    Args:
        arm: The arm.
        body: The object, or a contact group of it.
        grasp: The tool's pose for the grasp, asked for again in each try.
        above: The tool's pose from which it goes down; by default `clearance` above the grasp.
        clearance: How far the object is lifted [m].
        opening: Of the gripper before the grasp.
        lowering: Speed on the way down, as a factor on the usual speed: a fast arm dips below its goal.
    """
    for _ in range(TRIES):
        yield from arm.move_joints(above or grasp().shifted((0.0, 0.0, clearance)), opening=opening)
        yield from arm.move_joints(grasp(), speed=lowering)
        yield from arm.grasp(body)
        yield from arm.move_joints(arm.reference_pose.shifted((0.0, 0.0, clearance)), timeout=0.0)
        if arm.holds(body):
            return
        yield from arm.release(body, opening=opening)


def take_hold(arm: ArmMotion, body: str, grasp: Goal, *, before: FloatArray, opening: float = 1.0) -> Motion:
    """Grasp what the arm does not lift by itself, such as a handle; once more if it is not in the hand then.

    Args:
        arm: The arm.
        body: The object, or a contact group of it.
        grasp: The tool's pose for the grasp, asked for again in each try.
        before: From the grasp to where the tool goes first, in the world (3,) [m].
        opening: Of the gripper before the grasp.
    """
    for _ in range(TRIES):
        yield from arm.move_joints(grasp().shifted(before), opening=opening)
        yield from arm.move_joints(grasp())
        yield from arm.grasp(body)
        if arm.holds(body):
            return
        yield from arm.release(body, opening=opening)


def take(arm: ArmMotion, body: str, grasp: Goal, *, opening: float = 1.0) -> Motion:
    """Grasp an object that is held out, coming on a straight line; once more if it is not in the hand then.

    Args:
        arm: The arm.
        body: The object, or a contact group of it.
        grasp: The tool's pose for the grasp; asked for in every step, so it may move.
        opening: Of the gripper before the grasp.
    """
    for _ in range(TRIES):
        yield from arm.move_straight(grasp, opening=opening)
        yield from arm.grasp(body)
        if arm.holds(body):
            return
        yield from arm.release(body)


def place(
    arm: ArmMotion,
    body: str,
    target: Goal,
    *,
    above: float = CLEARANCE,
    opening: float = 1.0,
    retreat: Sequence[float] = (0.0, 0.0, CLEARANCE),
) -> Motion:
    """Move an object that the arm holds above a place, lower it straight, let go, and retreat.

    Args:
        arm: The arm.
        body: The object, which is a body.
        target: The object's pose at the end; asked for in every step, so it may move.
        above: Height from which it is lowered [m].
        opening: Of the gripper to let go.
        retreat: Way of the tool afterwards, in the world (3,) [m].
    """
    yield from arm.move_joints(tool_for(arm, body, target().shifted((0.0, 0.0, above))))
    yield from arm.move_straight(lambda: tool_for(arm, body, target()), speed=LOWERING_SPEED)
    yield from arm.release(body, opening=opening)
    yield from arm.move_straight(fixed(arm.reference_pose.shifted(retreat)))


def tool_for(arm: ArmMotion, body: str, target: Pose) -> Pose:
    """The tool's pose that brings a body to a pose, given how the arm holds it now."""
    return target @ arm.scene.body_pose(body).inverse() @ arm.tool_pose


def fixed(pose: Pose) -> Goal:
    """A goal that does not move."""
    return lambda: pose


def carry_together(
    arms: Sequence[ArmMotion], body: str, goal: Pose, *, speed: float = 0.5, timeout: float = 1.0
) -> Motion:
    """Move an object that several arms hold to a pose, all tools in step as parts of one rigid body.

    The script of one arm runs this; that of each other arm waits meanwhile.
    """
    start = arms[0].scene.body_pose(body)
    duration = max(arm.duration(start, goal) for arm in arms) / speed

    def along(tool: Pose) -> Path:
        grip = start.inverse() @ tool
        return lambda share: interpolate(start, goal, share) @ grip

    motions = [arm.follow(along(arm.reference_pose), duration=duration, timeout=timeout) for arm in arms]
    for _ in zip_longest(*motions):
        yield


def guided(arm: ArmMotion, body: str, path: Path) -> Path:
    """The way of a tool on which an object that it holds follows a path; what is missing is added up in every step.

    This removes errors that `tool_for` leaves, which are those of the arm. The object must be free to move. The errors
    at the beginning are removed gradually, during the first half of the way.
    """

    def at(share: float) -> Pose:
        corrected = path(share) @ arm.scene.body_pose(body).inverse() @ arm.reference_pose
        return interpolate(arm.reference_pose, corrected, min(1.0, 2.0 * share))

    return at


def in_step(arm: ArmMotion, path: Path) -> Path:
    """The way of a tool that moves as one rigid body with what follows a path."""
    grip = path(0.0).inverse() @ arm.reference_pose
    return lambda share: path(share) @ grip


def along_joint(arm: ArmMotion, joint: str, position: float) -> Path:
    """The way of a tool that holds a part, to where a joint of the part is at `position` [rad or m]."""
    model, data, start = arm.scene.model, arm.scene.data, arm.reference_pose
    index = model.joint(joint).id
    anchor, axis = data.xanchor[index].copy(), data.xaxis[index].copy()
    change = position - float(data.joint(joint).qpos[0])
    if model.jnt_type[index] == SLIDE:
        return lambda share: start.shifted(share * change * axis)
    return lambda share: turned(start, anchor, axis, share * change)


def turned(pose: Pose, centre: FloatArray, axis: FloatArray, angle: float) -> Pose:
    """A pose turned by an angle [rad] about an axis (3,) through a point (3,) [m]."""
    rotation = quaternion_about(axis, angle)
    moved = Pose(np.zeros(3), rotation) @ Pose(pose.position - centre, pose.quaternion)
    return moved.shifted(centre)


def upright_yaw(pose: Pose) -> float:
    """Rotation of a body's x axis about the vertical [rad]."""
    axis = pose.axis(0)
    return math.atan2(axis[1], axis[0])


def heading_of(tool: Pose) -> float:
    """Heading of a tool whose fingers close level [rad]; the tool may point straight down."""
    side = tool.axis(1)
    return math.atan2(side[1], side[0]) - math.pi / 2


def lying(position: object, yaw: float, pose: Pose) -> Pose:
    """`pose` moved to a position (3,) [m] and turned about the vertical until its x axis points along a yaw [rad]."""
    turn = quaternion_about((0.0, 0.0, 1.0), yaw - upright_yaw(pose))
    return Pose(np.asarray(position, np.float64), quaternion_product(turn, pose.quaternion))


def apart(arms: Sequence[ArmMotion], distance: float) -> bool:
    """Whether the tools of two arms are further from each other than a distance [m]."""
    one, other = (arm.tool_pose.position for arm in arms)
    return bool(np.linalg.norm(one - other) > distance)


def behind(tool: Pose, distance: float) -> Pose:
    """A tool's pose moved backwards along its forward axis by a distance [m]."""
    return tool @ Pose.at((-distance, 0.0, 0.0))
