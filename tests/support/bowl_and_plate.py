"""A bowl, a plate and a Panda, with the probe of the expert that moves the one over the other."""

from ambidex.envs.env import Environment, make
from ambidex.scripted_policies.libero.lookahead.collision import Probe

THING, PLACE = "akita_black_bowl_1", "plate_1"


def started() -> Environment:
    """The world at the start of seed 0."""
    env = make("libero_goal/1", cameras=())
    env.reset(0)
    return env


def probe_of(env: Environment) -> Probe:
    """A fresh probe of it."""
    (arm,) = env.scene.robot.arms
    return Probe(env.scene, arm)
