"""The world of stored episodes."""

from dataclasses import replace

from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.types import EnvSpec


def world_of(spec: EnvSpec) -> Environment:
    """The environment of a stored spec, for states that are stored too: it needs no file of initial states.

    Raises:
        UnknownNameError: An unknown task, control mode, camera, quality, spread or criterion.
        UsageError: An image size out of range.
    """
    return make_from_spec(replace(spec, init_states="", settle_steps=0))
