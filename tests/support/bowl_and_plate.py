"""A LIBERO scene with a bowl and a plate, and a collision checker of it."""

from ambidex.envs.env import Environment, make
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker

OBJECT, SUPPORT = "akita_black_bowl_1", "plate_1"


def reset_env() -> Environment:
    """The environment in the initial state of seed 0."""
    env = make("libero_goal/1", cameras=())
    env.reset(0)
    return env


def collision_checker(env: Environment) -> CollisionChecker:
    """A new one of the environment's scene."""
    (arm,) = env.scene.robot.arms
    return CollisionChecker(env.scene, arm)
