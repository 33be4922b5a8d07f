"""Finds the expert of a task by its name or its family, and imports it on demand."""

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
"""Task -> its expert."""

FAMILY_EXPERTS: Mapping[str, str] = {"libero": "ambidex.scripted_policies.libero.expert:LiberoExpert"}
"""Family -> the expert of all its tasks."""

CONTROLS: Mapping[str, tuple[str, ...]] = {"libero": ("ee",)}
"""Family -> control modes of its expert; the experts of other families support all."""


def check_control(spec: "EnvSpec") -> None:
    """Check that the expert of a task supports the control mode.

    Raises:
        UsageError: It does not; facts `got` and `expected`.
    """
    supported = CONTROLS.get(spec.family, (spec.control,))
    if spec.control not in supported:
        raise UsageError(
            f"--control {spec.control}: the expert of {spec.task} acts under {' or '.join(supported)} control only.",
            "Leave --control out; datasets recorded with --format act then have joint commands as /action and the "
            "expert's own as /action_ee.",
            got=spec.control,
            expected=supported,
        )


def make_expert(env: "Environment", *, noise: float = 0.0) -> "Agent":
    """The expert of an environment's task.

    Args:
        env: The environment that it acts in, and whose scene it may read.
        noise: Scale of the differences between demonstrations. 0: equal initial states give equal motions. 1: waypoints
            move by up to about a centimetre and speeds by about a fifth, drawn from the episode's seed.

    Raises:
        UnknownNameError: The task has no expert.
        UsageError: The expert does not support the environment's control mode.
    """
    check_control(env.spec)
    task, family = env.spec.task, env.spec.family
    if family in FAMILY_EXPERTS:
        found = resolve("family with an expert", family, FAMILY_EXPERTS)
    else:
        found = resolve("expert", task, EXPERTS)
    return cast("Callable[..., Agent]", found)(env, noise=noise)
