"""A bottle with a screw thread, and its cap."""

import math

import mujoco

from ambidex.envs.objects.building.prop_builder import HINGE, SLIDE, PropBuilder
from ambidex.envs.objects.building.shapes import revolve

BODY_RADIUS, NECK_RADIUS, SHOULDER, HEIGHT = 0.025, 0.012, 0.07, 0.1  # [m]
CAP_RADIUS, CAP_HEIGHT, CAP_BOTTOM = 0.018, 0.024, 0.082  # [m]; its lower edge above the table when it is closed
CAP_WALL = 0.004  # [m]
PITCH = 0.004  # height that the cap gains in a turn [m]
TURNS = 1.5  # until it is free
THREAD_FRICTION = 0.01  # [N m]
STIFF = (0.005, 1.0)  # of the constraints: with the usual ones the cap would lag behind the thread
GREEN, WHITE = (0.25, 0.52, 0.35), (0.93, 0.93, 0.9)


def bottle() -> mujoco.MjSpec:
    """A bottle whose origin is in the middle of its base.

    The thread is a part that turns and rises, without shapes: `thread_rise_joint` [m] and `thread_joint` [rad].
    """
    builder = PropBuilder("bottle", density=600.0)
    builder.cylinder((0, 0, SHOULDER / 2), BODY_RADIUS, SHOULDER / 2, GREEN)
    builder.cylinder((0, 0, (SHOULDER + HEIGHT) / 2), NECK_RADIUS, (HEIGHT - SHOULDER) / 2, GREEN)
    builder.hide_shapes()
    outline = [(0.0, 0.0), (BODY_RADIUS - 0.002, 0.0), (BODY_RADIUS, 0.002), (BODY_RADIUS, SHOULDER - 0.008)]
    outline += [(NECK_RADIUS, SHOULDER + 0.006), (NECK_RADIUS, HEIGHT), (0.0, HEIGHT)]
    builder.look(revolve(outline, slices=28), GREEN, gloss=0.7)
    builder.part(
        "thread_rise",
        (0, 0, CAP_BOTTOM),
        joint=SLIDE,
        axis=(0, 0, 1),
        span=(0.0, PITCH * TURNS),
        damping=0.5,
        armature=0.5,
    )
    builder.mass("thread_rise", 0.002, 0.01)
    builder.part(
        "thread",
        (0, 0, 0),
        joint=HINGE,
        axis=(0, 0, 1),
        span=(0.0, 2.0 * math.pi * TURNS),
        of="thread_rise",
        damping=0.005,
        armature=2e-4,
        friction=THREAD_FRICTION,
    )
    builder.mass("thread", 0.002, 0.01)
    coupled = builder.spec.add_equality(name="pitch", type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
    coupled.name1, coupled.name2 = "thread_rise_joint", "thread_joint"
    coupled.data[:5], coupled.solref = (0.0, PITCH / (2.0 * math.pi), 0.0, 0.0, 0.0), STIFF
    # MuJoCo regularises this constraint as if the thread turned by a radian per metre, so it would be far too soft.
    coupled.solimp = (0.9999, 0.9999, 0.001, 0.5, 2.0)
    return builder.spec


def cap() -> mujoco.MjSpec:
    """A cap that is open below, its origin in the middle of its lower edge."""
    builder = PropBuilder("cap", density=400.0, armature=1e-4)
    inner = CAP_RADIUS - CAP_WALL
    builder.ring(inner, 0.0, CAP_HEIGHT - CAP_WALL, CAP_WALL, WHITE, count=12)
    builder.cylinder((0, 0, CAP_HEIGHT - CAP_WALL / 2), CAP_RADIUS, CAP_WALL / 2, WHITE)
    builder.hide_shapes()
    outline = [(inner, 0.0), (CAP_RADIUS, 0.0), (CAP_RADIUS, CAP_HEIGHT - 0.002), (CAP_RADIUS - 0.002, CAP_HEIGHT)]
    outline += [(0.0, CAP_HEIGHT)]
    builder.look(revolve(outline, slices=28), WHITE, gloss=0.4)
    return builder.spec
