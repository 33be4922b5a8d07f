"""The world of stored episodes."""

from dataclasses import replace
from pathlib import Path

from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.types import EnvSpec
from ambidex.recorders.definition_copy import definition_copy


def world_of(spec: EnvSpec, stored: Path) -> Environment:
    """The environment of a stored spec, for states that are stored too: it needs no file of initial states.

    A user's definition that is gone or has changed is read from the copy that lies with what was stored.

    Args:
        spec: What was stored.
        stored: Where: a folder, an episode in it, or a file of states below it.

    Raises:
        DatasetError: The definition is gone or has changed, and there is no copy.
        UnknownNameError: An unknown task, control mode, camera, quality, spread or criterion.
        UsageError: An image size out of range.
    """
    bare = replace(spec, init_states="", init_states_sha256="", settle_steps=0)
    return make_from_spec(bare, definition_copy(spec, stored))
