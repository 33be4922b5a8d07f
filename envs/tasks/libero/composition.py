"""Composes the world of a definition: room, robot, objects, fixtures. This is also the order of qpos, LIBERO's."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.registry import object_spec
from ambidex.envs.robot import Robot
from ambidex.envs.robots.panda import PHYSICS
from ambidex.envs.tasks.libero.bddl.problem import Problem
from ambidex.envs.tasks.libero.goals.world import body_name

FREE_DAMPING = 0.0005  # of every free joint, as in LIBERO [N s/m and N m s/rad]
PARKED = 5.0  # height at which things wait for their place, out of each other's way [m]


def compose_problem(problem: Problem, arena: Arena, robot: Robot) -> mujoco.MjSpec:
    """The model of a definition, its fixtures as mocap bodies: where they stand is part of the state."""
    spec = arena.make_spec()
    spec.modelname = problem.name
    attach_robot(spec, robot)
    for index, (instance, category) in enumerate(problem.objects.items()):
        _attach(spec, instance, category, (index, 0.0, PARKED)).add_joint(
            name=free_joint(instance), type=mujoco.mjtJoint.mjJNT_FREE, damping=[FREE_DAMPING, 0.0, 0.0]
        )
    for index, (instance, category) in enumerate(problem.fixtures.items()):
        _attach(spec, instance, category, (index, 1.0, PARKED)).mocap = True
    PHYSICS.apply(spec)
    return spec


def free_joint(instance: str) -> str:
    """The joint of an object that can be carried."""
    return f"{instance}_joint0"


def _attach(spec: mujoco.MjSpec, instance: str, category: str, parked: tuple[float, float, float]) -> mujoco.MjsBody:
    spec.attach(object_spec(category), frame=spec.worldbody.add_frame(), prefix=f"{instance}_")
    body = spec.body(body_name(instance))
    body.pos = parked
    return body


# FOLDED envs.robot_composition: Puts a robot into a world that is being composed.

MOUNT_PREFIX = "mount"


def attach_robot(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Attach every arm at its base with its prefix, and what it stands on; reserve the controllers' memory.

    Mounts are prefixed "mount0_", "mount1_" and so on, in the order of the arms.
    """
    for index, prefix in enumerate(robot.prefixes):
        if robot.mount is not None:
            _attach_arm(spec, str(robot.mount), robot, index, f"{MOUNT_PREFIX}{index}_")
        _attach_arm(spec, str(robot.mjcf), robot, index, prefix)
    spec.nuserdata = max(spec.nuserdata, robot.memory)


def _attach_arm(spec: mujoco.MjSpec, mjcf: str, robot: Robot, index: int, prefix: str) -> None:
    base = robot.arms[index].base
    frame = spec.worldbody.add_frame(pos=base.position, quat=base.quaternion)
    spec.attach(mujoco.MjSpec.from_file(mjcf), frame=frame, prefix=prefix)
