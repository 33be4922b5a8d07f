"""A loaded policy, made ready for a task: which of its robots, which code, and whether it fits."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ambidex.benchmarks.running.served_agents import environment_for
from ambidex.benchmarks.running.terms import Terms
from ambidex.envs.errors import UsageError
from ambidex.envs.types import EnvSpec
from ambidex.policies.compatibility import check_compatible
from ambidex.policies.embodiment import embodiment
from ambidex.policies.serving_client import ServedPolicy

if TYPE_CHECKING:
    from ambidex.policies.policy import Policy


def use_robot_of(policy: "Policy", task: str, terms: Terms) -> None:
    """Have a policy of several robots act with the one of a task; of its ways to control it, the first."""
    there = terms.environment(task).spec.robot
    known = [embodiment(spec) for spec in policy.specs if spec.robot == there]
    if known:
        policy.use_robot(known[0])


def play_code(policy: "Policy", code: int) -> None:
    """Have a policy make all its chunks from one code.

    Raises:
        UsageError: It has no codes, or not this one.
    """
    from ambidex.policies.coded_policy import CodedPolicy  # heavy

    if not isinstance(policy, CodedPolicy):
        raise UsageError(
            f"--code {code}: {policy.name} does not make its actions from codes, so there is none to play. Leave the "
            "flag out, or give a policy that does, such as uniact."
        )
    policy.play_code(code)


def fitting_spec(task: str, served: ServedPolicy, terms: Terms) -> EnvSpec:
    """Of the environment as the policy sees it; made without cameras, so that all differences are told at once.

    Raises:
        UsageError: The policy does not fit; lists the differences.
    """
    cameras = served.inputs.cameras
    env = environment_for(task, served.spec, replace(served.inputs, cameras=()), terms)
    there = replace(env.spec, cameras=env.scene.camera_names)
    check_compatible(
        replace(served.spec, cameras=cameras),
        there,
        objects=served.inputs.objects,
        instructions=served.instructions,
    )
    return replace(env.spec, cameras=cameras)
