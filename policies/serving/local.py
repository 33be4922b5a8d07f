"""A policy as an agent in this process. `run-benchmark` serves a policy to worker processes instead (`server.py`)."""

from dataclasses import replace
from typing import Protocol

import torch

from ambidex.envs.types import Agent, EnvSpec, Observation
from ambidex.policies.compatibility import check_compatible, embodiment_of
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.policy import Policy
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.server import describe


class HasSpec(Protocol):
    """An environment, of which a policy needs the description only."""

    @property
    def spec(self) -> EnvSpec: ...


def make_agent(
    policy: Policy, env: EnvSpec | HasSpec, *, execution: str = "chunk", execute_steps: int | None = None
) -> Agent:
    """An agent that acts by a policy, for `ambidex.rollout`.

    Args:
        policy: In evaluation mode, as `ambidex.load` returns it, on the device where it is to compute.
        env: The environment, or its `spec`. It must have the cameras that the policy uses (`policy.inputs.cameras`).
        execution: "chunk" executes the actions of a chunk open loop, "first" predicts at every step, "ensemble"
            averages overlapping chunks (ACT's temporal ensembling).
        execute_steps: Actions of a chunk before the next prediction; None for the number of the policy's settings.

    Raises:
        UsageError: The policy cannot act in this environment; lists the differences.
        UnknownNameError: No such execution.
    """
    env_spec = env if isinstance(env, EnvSpec) else env.spec
    if embodiment_of(env_spec) in map(embodiment_of, policy.specs):
        policy.use_embodiment(embodiment_of(env_spec))
    about = describe(policy)
    check_compatible(
        replace(policy.spec, cameras=about.inputs.cameras),
        env_spec,
        objects=about.inputs.objects,
        instructions=about.instructions,
        known=policy.specs,
    )
    device = next((parameter.device for parameter in policy.parameters()), torch.device("cpu"))
    batch = FixedBatch(policy, device, batch_size=1)

    def predict(observation: Observation) -> Chunk:
        return batch.answer([ObservationMessage.of(observation, about.inputs)])[0]

    return choose_execution(execution, execute_steps, about.execute_steps, about.chunk_size).agent(predict)
