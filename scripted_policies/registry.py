"""Task or family -> expert, imported when asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ambidex.errors import UsageError
from ambidex.lookup import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from ambidex.envs.env import Environment
    from ambidex.envs.types import Agent, EnvSpec

EXPERTS: Mapping[str, str] = {
    "transfer_cube": "ambidex.scripted_policies.transfer_cube:TransferCubeExpert",
    "insertion": "ambidex.scripted_policies.insertion:InsertionExpert",
}
"""Experts for one task."""

FAMILY_EXPERTS: Mapping[str, str] = {"libero": "ambidex.scripted_policies.libero.expert:LiberoExpert"}
"""Experts for all tasks of a family."""

CONTROLS: Mapping[str, tuple[str, ...]] = {"libero": ("ee",)}
"""Family -> the control modes under which its experts act; those of other families act under any."""


def check_control(spec: "EnvSpec") -> None:
    """Refuse a control mode under which the expert cannot act.

    Raises:
        UsageError: Says which it can, and how to come by joint commands.
    """
    able = CONTROLS.get(spec.family, (spec.control,))
    if spec.control not in able:
        raise UsageError(
            f"--control {spec.control}: the expert of {spec.task} acts under {' or '.join(able)} control. Leave "
            "--control out. For joint commands record with --format act: they are then its /action, and what the "
            "expert sent is its /action_ee."
        )


def make_expert(env: "Environment", *, noise: float = 0.0) -> "Agent":
    """The expert of an environment's task.

    Args:
        env: The environment it will act in, and whose world it may read.
        noise: How much demonstrations differ: 0 is the same motion for the same start, 1 moves waypoints by up to
            about a centimetre and speeds by about a fifth, from the episode's seed.

    Raises:
        UnknownNameError: The task has no expert.
        UsageError: The expert cannot act under the environment's control mode.
    """
    check_control(env.spec)
    task, family = env.spec.task, env.spec.family
    if family in FAMILY_EXPERTS:
        found = resolve("family with an expert", family, FAMILY_EXPERTS)
    else:
        found = resolve("expert", task, EXPERTS)
    return cast("Callable[..., Agent]", found)(env, noise=noise)
