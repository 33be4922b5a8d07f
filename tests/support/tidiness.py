"""How an expert of LIBERO leaves objects, and how deep contacts are in an episode."""

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.planning.grasps import has_rim

PALM = "robot0_right_hand"


def largest_tilt(env: Environment) -> float:
    """Largest angle to the vertical of bowls and mugs that the goal places somewhere, 0 if there are none [degrees]."""
    assert isinstance(env.task, LiberoTask)
    context = SkillContext(env.scene, env.task)
    placed = {atom.arguments[0] for atom in env.task.problem.goal if atom.predicate in ("on", "in")}
    vessels = [obj for obj in placed if has_rim(context.category(obj))]
    cosines = [min(1.0, context.uprightness(obj)) for obj in vessels]
    return float(np.degrees(np.arccos(cosines)).max(initial=0.0))


def deepest_contacts(env: Environment, states: FloatArray) -> tuple[float, float]:
    """Depth to which the palm is pressed into anything, and objects into all but the robot, in some states [m]."""
    assert isinstance(env.task, LiberoTask)
    model = env.scene.model
    palm = model.geom_bodyid == model.body(PALM).id
    bodies = [model.body(body_name(obj)).id for obj in env.task.problem.objects]
    objects, robot = np.isin(model.geom_bodyid, bodies), model.body_rootid[model.geom_bodyid] == robot_root(env)
    found = np.zeros(2)
    for state in states:
        env.restore(state)
        contact = env.scene.data.contact
        of_palm = palm[contact.geom].any(axis=1)
        of_objects = objects[contact.geom].any(axis=1) & ~robot[contact.geom].any(axis=1)
        depths = [(-contact.dist[which]).max(initial=0.0) for which in (of_palm, of_objects)]
        found = np.maximum(found, depths)
    return float(found[0]), float(found[1])


def robot_root(env: Environment) -> int:
    """The body at the root of the robot."""
    model = env.scene.model
    joint = model.joint(env.scene.robot.arms[0].joints[0]).id
    return int(model.body_rootid[model.jnt_bodyid[joint]])
