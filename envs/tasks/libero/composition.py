"""Composes the world of a definition: room, robot, objects, fixtures. This is also the order of qpos, LIBERO's."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.registry import object_spec
from ambidex.envs.robot import Robot
from ambidex.envs.robot_composition import attach_robot
from ambidex.envs.robots.panda import PHYSICS
from ambidex.envs.tasks.libero.model_world import body_name
from ambidex.envs.tasks.libero.problem import Problem

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
