"""Task name -> expert, imported when asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ambidex.envs.registry import resolve

if TYPE_CHECKING:
    from ambidex.envs.env import Environment
    from ambidex.scripted_policies.expert import Expert

EXPERTS: Mapping[str, str] = {
    "transfer_cube": "ambidex.scripted_policies.transfer_cube:TransferCubeExpert",
    "insertion": "ambidex.scripted_policies.insertion:InsertionExpert",
}


def make_expert(env: "Environment", *, noise: float = 0.0) -> "Expert":
    """The expert of an environment's task.

    Args:
        env: The environment it will act in, and whose world it may read.
        noise: How much demonstrations differ: 0 is the same motion for the same start, 1 moves waypoints by
            about a centimetre and speeds by about a fifth, from the episode's seed.

    Raises:
        UnknownNameError: The task has no expert.
    """
    expert = cast("type[Expert]", resolve("expert", env.spec.task, EXPERTS))
    return expert(env, noise=noise)
