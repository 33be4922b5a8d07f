"""Composes the model of a definition: arena, robot, objects, fixtures. This is also the order of qpos, as in LIBERO."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.registry import object_spec
from ambidex.envs.robot import Robot
from ambidex.envs.robots.panda import PHYSICS
from ambidex.envs.tasks.libero.bddl.problem import Problem
from ambidex.envs.tasks.libero.goals.world import body_name

FREE_DAMPING = 0.0005  # of every free joint, as in LIBERO [N s/m and N m s/rad]
PARKED_HEIGHT = 5.0  # of objects and fixtures that are not placed yet [m]
MOUNT_PREFIX = "mount"


def compose_problem(problem: Problem, arena: Arena, robot: Robot) -> mujoco.MjSpec:
    """The model of a definition. Fixtures are mocap bodies, so their poses are part of the state."""
    spec = arena.make_spec()
    spec.modelname = problem.name
    attach_robot(spec, robot)
    for index, (instance, category) in enumerate(problem.objects.items()):
        _attach(spec, instance, category, (index, 0.0, PARKED_HEIGHT)).add_joint(
            name=free_joint_name(instance), type=mujoco.mjtJoint.mjJNT_FREE, damping=[FREE_DAMPING, 0.0, 0.0]
        )
    for index, (instance, category) in enumerate(problem.fixtures.items()):
        _attach(spec, instance, category, (index, 1.0, PARKED_HEIGHT)).mocap = True
    PHYSICS.apply(spec)
    return spec


def free_joint_name(instance: str) -> str:
    """Name of the free joint of an object."""
    return f"{instance}_joint0"


def attach_robot(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Attach every arm and its mount at its base, and reserve the controllers' user data.

    Mounts are prefixed "mount0_", "mount1_" and so on, in the order of the arms.
    """
    for index, prefix in enumerate(robot.prefixes):
        if robot.mount is not None:
            _attach_at_base(spec, str(robot.mount), robot, index, f"{MOUNT_PREFIX}{index}_")
        _attach_at_base(spec, str(robot.mjcf), robot, index, prefix)
    spec.nuserdata = max(spec.nuserdata, robot.userdata_size)


def _attach(spec: mujoco.MjSpec, instance: str, category: str, parked: tuple[float, float, float]) -> mujoco.MjsBody:
    spec.attach(object_spec(category), frame=spec.worldbody.add_frame(), prefix=f"{instance}_")
    body = spec.body(body_name(instance))
    body.pos = parked
    return body


def _attach_at_base(spec: mujoco.MjSpec, mjcf: str, robot: Robot, index: int, prefix: str) -> None:
    base = robot.arms[index].base
    frame = spec.worldbody.add_frame(pos=base.position, quat=base.quaternion)
    spec.attach(mujoco.MjSpec.from_file(mjcf), frame=frame, prefix=prefix)
