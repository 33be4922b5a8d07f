"""Where a worker's environments and agents come from. Workers import this, and never torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import Agent, EnvSpec, Float32Array, Observation
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.serving.client import Address, PolicyClient, PolicyServerError
from ambidex.policies.serving.execution import Execution, choose_execution
from ambidex.scripted_policies.registry import make_expert

# FOLDED benchmarks.running.baselines: Agents that know nothing: what a benchmark's numbers are to be compared with.

CHANGE_EVERY_S = 0.5  # how long a random goal is held [s]


class RandomAgent:
    """Goes to a random action within the controller's limits, and to another one after half a second.

    Args:
        env: Where it will act.
    """

    def __init__(self, env: Environment) -> None:
        self._low, self._high = env.controller.low, env.controller.high
        self._hold = max(1, round(CHANGE_EVERY_S * env.spec.control_hz))

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._step = 0

    def act(self, observation: Observation) -> Float32Array:
        if self._step % self._hold == 0:
            self._goal = self._rng.uniform(self._low, self._high).astype(np.float32)
        self._step += 1
        return self._goal


class HoldAgent:
    """Stays where it began.

    Args:
        env: Where it will act.
    """

    def __init__(self, env: Environment) -> None:
        self._env = env

    def reset(self, observation: Observation, seed: int) -> None:
        spec, here = self._env.spec, observation.qpos.astype(np.float32)
        if spec.control == "joint":
            self._action = here
        elif FAMILIES[spec.family].ee_is_pose:
            self._action = EePose(self._env.scene, spec.control_hz).from_joint_action(here)
        else:
            self._action = np.zeros(len(spec.action_names), np.float32)  # no step, and the gripper as it is

    def act(self, observation: Observation) -> Float32Array:
        return self._action


BASELINES: Mapping[str, Callable[[Environment], Agent]] = {
    "scripted": make_expert,
    "random": RandomAgent,
    "hold": HoldAgent,
}


class AgentSource(Protocol):
    """Makes what acts in a worker, and the world it acts in."""

    @property
    def execution(self) -> str:
        """How chunks are played, e.g. "chunk:100"; empty for agents that do not predict chunks."""
        ...

    def environment(self, task: str) -> Environment:
        """The environment of a task, as the agent needs it."""
        ...

    def agent(self, env: Environment) -> Agent:
        """An agent for an environment of `environment`."""
        ...

    def check(self) -> None:
        """Raise if what the agents depend on is gone, so that their last episode does not count."""
        ...


@dataclass(frozen=True, kw_only=True)
class LocalAgents:
    """Agents that need nobody: experts and baselines, under the family's control mode.

    Attributes:
        make_agent: Environment -> agent; picklable.
        terms: How tasks are posed.
    """

    make_agent: Callable[[Environment], Agent]
    terms: TaskSettings

    @property
    def execution(self) -> str:
        return ""

    def environment(self, task: str) -> Environment:
        return self.terms.environment(task)

    def agent(self, env: Environment) -> Agent:
        return self.make_agent(env)

    def check(self) -> None:
        """They depend on nothing."""


# FOLDED benchmarks.running.served_agents: Agents that ask a policy server.


class ServedAgents:
    """Agents of one process that share a line to a policy server. Picklable until the line is first needed.

    Args:
        address: Of the server.
        authkey: Its secret.
        mode: How chunks are played.
        steps: Actions played before the next request; None for the policy's own choice.
        code: The code that the server was told to make all chunks from; None if the policy chooses, or has none.
        terms: How tasks are posed.
    """

    def __init__(
        self, *, address: Address, authkey: bytes, mode: str, steps: int | None, code: int | None, terms: TaskSettings
    ) -> None:
        self._address, self._authkey = address, authkey
        self._mode, self._steps, self._code, self._terms = mode, steps, code, terms

    @cached_property
    def _client(self) -> PolicyClient:
        return PolicyClient(self._address, self._authkey)

    @cached_property
    def _chosen(self) -> Execution:
        policy = self._client.policy
        return choose_execution(self._mode, self._steps, policy.execute_steps, policy.chunk_size, self._code)

    @property
    def execution(self) -> str:
        """How chunks are played, e.g. "chunk:100"."""
        return self._chosen.name

    def environment(self, task: str) -> Environment:
        policy = self._client.policy
        return environment_for(task, policy.spec, policy.inputs, self._terms)

    def agent(self, env: Environment) -> Agent:
        return self._chosen.agent(self._client.predict)

    def check(self) -> None:
        """Raise if the line is broken.

        Raises:
            PolicyServerError: The server is gone.
        """
        if self._client.unavailable:
            raise PolicyServerError(self._client.unavailable)


def environment_for(task: str, spec: EnvSpec, inputs: PolicyInputs, terms: TaskSettings) -> Environment:
    """A task as a policy made for `spec` is used to see it: its control mode, cameras, image size and quality.

    Raises:
        UnknownNameError: The task lacks a camera or control mode.
    """
    return terms.environment(
        task,
        control=spec.control,
        cameras=inputs.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
    )
