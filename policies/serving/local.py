"""A policy as an agent in this process. `run-benchmark` serves a policy to worker processes instead (`server.py`)."""

from dataclasses import replace
from typing import Protocol

import torch

from ambidex.envs.types import Agent, EnvSpec, Observation
from ambidex.policies.compatibility import check_compatible, embodiment_of
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.policy import Policy
from ambidex.policies.serving.execution import Execution, choose_execution
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.history import KeptFrames, Observed, SentSteps, WindowMessage, policy_agent
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
    return executing_agent(policy, choose_execution(execution, execute_steps, about.execute_steps, about.chunk_size))


def executing_agent(policy: Policy, execution: Execution) -> Agent:
    """An agent that acts by a policy in an environment like that of its training."""
    device = next((parameter.device for parameter in policy.parameters()), torch.device("cpu"))
    batch, inputs = FixedBatch(policy, device, batch_size=1), policy.inputs
    sent, kept = SentSteps(), KeptFrames(inputs.offsets)

    def predict(observed: Observed) -> Chunk:
        if isinstance(observed, Observation):
            return batch.answer([ObservationMessage.of(observed, inputs)])[0]
        message = WindowMessage.of(sent.unsent(observed), inputs)
        sent.add(observed)
        return batch.answer([kept.complete(message)])[0]

    return policy_agent(execution, inputs.offsets, predict)
