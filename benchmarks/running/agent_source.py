"""Where a worker's environments and agents come from. Workers import this, and never torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ambidex.benchmarks.running.baselines import HoldAgent, RandomAgent
from ambidex.benchmarks.running.terms import Terms
from ambidex.envs.env import Environment
from ambidex.envs.types import Agent
from ambidex.scripted_policies.registry import make_expert

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
    terms: Terms

    @property
    def execution(self) -> str:
        return ""

    def environment(self, task: str) -> Environment:
        return self.terms.environment(task)

    def agent(self, env: Environment) -> Agent:
        return self.make_agent(env)

    def check(self) -> None:
        """They depend on nothing."""
