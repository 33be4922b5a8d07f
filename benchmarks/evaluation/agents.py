"""Makes the environments and agents of a worker process. Does not import torch.

A source (`AgentSource`) is made in the parent process and sent to the workers: `LocalAgents` for experts and the other
baselines, `ServedAgents` for a policy that the parent process serves; those of other servers are in
`benchmarks/remote/agents.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from ambidex.benchmarks.evaluation.config import SCRIPTED, PolicyFlags
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.results.first_request import message_digests
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import Agent, EnvSpec, Float32Array, Observation
from ambidex.policies.messages import Chunk, PolicyInputs
from ambidex.policies.serving.client import Address, PolicyClient, PolicyServerError, ServedPolicy
from ambidex.policies.serving.execution import Execution, choose_execution
from ambidex.policies.serving.history import EpisodeWindow, Observed, policy_agent
from ambidex.scripted_policies.registry import make_expert
from ambidex.scripted_policies.retreat import RetreatingExpert

RANDOM_ACTION_S = 0.5  # how long a random action is held [s]


class AgentSource(Protocol):
    """Makes the environments and agents of a worker process; picklable."""

    @property
    def execution(self) -> str:
        """How chunks are executed, e.g. "chunk:100"; empty for agents that do not predict chunks."""
        ...

    def environment(self, task: str) -> Environment:
        """The environment of a task, as the agents need it."""
        ...

    def agent(self, env: Environment) -> Agent:
        """An agent for an environment that `environment` made."""
        ...

    def check(self) -> None:
        """Raise an error if the last episode is not to be stored, because what the agents depend on is gone."""
        ...

    def complete(self, row: EpisodeRow) -> EpisodeRow:
        """The row of the last episode with what only the source knows of it."""
        ...


@dataclass(frozen=True, kw_only=True)
class LocalAgents:
    """Experts, baselines and agents of the caller's own.

    Attributes:
        make_agent: Environment -> agent; picklable if there are worker processes.
        settings: How tasks are set up.
        control: Control mode; None for the family's default.
        execution: Empty: these agents do not predict chunks.
    """

    make_agent: Callable[[Environment], Agent]
    settings: TaskSettings
    control: str | None = None
    execution: str = ""

    def environment(self, task: str) -> Environment:
        """The environment of a task, as the agents need it."""
        return self.settings.environment(task, control=self.control)

    def agent(self, env: Environment) -> Agent:
        """An agent for an environment that `environment` made."""
        return self.make_agent(env)

    def check(self) -> None:
        """Do nothing: these agents depend on nothing that can fail."""

    def complete(self, row: EpisodeRow) -> EpisodeRow:
        """The row as it is."""
        return row


@dataclass(frozen=True, kw_only=True)
class ServedAgents:
    """Agents that share one connection to a policy server, at this address and with this secret.

    Picklable until the connection is first needed.
    """

    address: Address
    authkey: bytes
    config: PolicyFlags
    settings: TaskSettings

    @cached_property
    def _client(self) -> PolicyClient:
        return PolicyClient(self.address, self.authkey)

    @cached_property
    def _execution(self) -> Execution:
        return execution_of(self._client.policy, self.config)

    @cached_property
    def _first_request(self) -> dict[str, str]:
        """Of the current episode."""
        return {}

    @property
    def execution(self) -> str:
        """How chunks are executed, e.g. "chunk:100"."""
        return self._execution.name

    def environment(self, task: str) -> Environment:
        """The environment of a task, as the policy needs it."""
        policy = self._client.policy
        return policy_environment(task, policy.spec, policy.inputs, self.settings)

    def agent(self, env: Environment) -> Agent:
        """An agent for an environment that `environment` made."""
        return policy_agent(self._execution, self._client.policy.inputs.offsets, self._predict)

    def check(self) -> None:
        """Raise PolicyServerError if the server is gone, so that the last episode is not stored."""
        if self._client.unavailable:
            raise PolicyServerError(self._client.unavailable)

    def complete(self, row: EpisodeRow) -> EpisodeRow:
        """The row of the last episode with digests of what the policy was sent first."""
        sent = dict(self._first_request)
        self._first_request.clear()
        return replace(row, first_request=sent)

    def _predict(self, observed: Observed) -> Chunk:
        chunk = self._client.predict(observed)
        if is_first(observed) and self._client.newest:
            self._first_request.update(message_digests(self._client.newest))
        return chunk


def is_first(observed: Observed) -> bool:
    """Whether this is the first observation of an episode."""
    return observed.step == 0 if isinstance(observed, EpisodeWindow) else observed.time == 0.0


def execution_of(policy: ServedPolicy, config: PolicyFlags) -> Execution:
    """How the chunks of a policy are executed."""
    return choose_execution(
        config.execution, config.execute_steps, policy.execute_steps, policy.chunk_size, config.code
    )


def policy_environment(task: str, spec: EnvSpec, inputs: PolicyInputs, settings: TaskSettings) -> Environment:
    """A task with the cameras that a policy uses, and the control mode, image size and quality of its spec.

    Raises:
        UnknownNameError: The task has no such camera or control mode.
        UsageError: A perturbation changes nothing that the policy gets.
    """
    env = settings.environment(
        task,
        control=spec.control,
        cameras=inputs.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
    )
    env.check_perturbations_are_seen(inputs.cameras, instruction=inputs.instruction)
    return env


class RandomAgent:
    """Sends uniformly random actions within the controller's limits, each for half a second."""

    def __init__(self, env: Environment) -> None:
        self._low, self._high = env.controller.low, env.controller.high
        self._hold = max(1, round(RANDOM_ACTION_S * env.spec.control_hz))

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._step = 0

    def act(self, observation: Observation) -> Float32Array:
        if self._step % self._hold == 0:
            self._action = self._rng.uniform(self._low, self._high).astype(np.float32)
        self._step += 1
        return self._action


class HoldAgent:
    """Keeps the initial pose."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def reset(self, observation: Observation, seed: int) -> None:
        spec, qpos = self._env.spec, observation.qpos.astype(np.float32)
        if spec.control == "joint":
            self._action = qpos
        elif FAMILIES[spec.family].ee_is_pose:
            self._action = EePose(self._env.scene, spec.control_hz).from_joint_action(qpos)
        else:
            self._action = np.zeros(len(spec.action_names), np.float32)  # no motion, and the gripper stays as it is

    def act(self, observation: Observation) -> Float32Array:
        return self._action


TAKING_OVER: Mapping[str, Callable[[Environment], Agent]] = {"scripted": RetreatingExpert}
"""Baselines that do more than usual if they take over in the middle of an episode."""

BASELINES: Mapping[str, Callable[[Environment], Agent]] = {
    SCRIPTED: make_expert,
    "random": RandomAgent,
    "hold": HoldAgent,
}
