"""Agents that act by the answers of a policy on a server. Needs the extra `remote`."""

import atexit
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.remote.state_parts import state_parts
from ambidex.benchmarks.results.first_request import digests
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.envs.env import Environment
from ambidex.envs.types import Agent, Float32Array, FloatArray, Observation
from ambidex.policies.messages import Chunk
from ambidex.policies.remote.answers import read_actions
from ambidex.policies.remote.client import Answer, RemotePolicy, RemoteServer
from ambidex.policies.remote.layouts import EPISODE, STEP, STEPS, Layout, Request, droid_action
from ambidex.policies.serving.execution import Execution
from ambidex.policies.serving.history import EpisodeWindow, Observed, SentSteps, policy_agent

StateParts = Callable[[Environment, Observation], Mapping[str, FloatArray]]
"""An environment and an observation of it -> the parts that states are composed of; see `STATE_PARTS`."""


@dataclass(kw_only=True)
class Latency:
    """Times of the requests of an episode [ms]; `infer_ms` are those that the server says."""

    request_ms: list[float] = field(default_factory=list)
    infer_ms: list[float] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        self.request_ms.append(round(answer.request_ms, 2))
        self.infer_ms += [] if answer.infer_ms is None else [round(answer.infer_ms, 2)]

    def clear(self) -> None:
        self.request_ms.clear()
        self.infer_ms.clear()


@dataclass(frozen=True, kw_only=True)
class RemoteAgents:
    """Agents that share one connection to the server of a policy. Picklable until the connection is first needed."""

    server: RemoteServer
    layout: Layout
    settings: TaskSettings
    chosen: Execution
    parts: StateParts = state_parts

    @property
    def execution(self) -> str:
        """How chunks are executed, e.g. "chunk:5"."""
        return self.chosen.name

    @cached_property
    def _policy(self) -> RemotePolicy:
        policy = RemotePolicy(self.server)
        atexit.register(policy.close)  # else the server would see a broken connection
        return policy

    @cached_property
    def _latency(self) -> Latency:
        return Latency()

    @cached_property
    def _first_request(self) -> dict[str, str]:
        """Of the current episode."""
        return {}

    def environment(self, task: str) -> Environment:
        """The environment of a task, as the layout needs it."""
        return remote_environment(task, self.layout, self.settings)

    def agent(self, env: Environment) -> Agent:
        """An agent for an environment that `environment` made."""
        return RemoteAgent(env, self)

    def check(self) -> None:
        """Raise RemoteConnectionError if the server is gone, so that the last episode is not stored."""
        self._policy.raise_if_unavailable()

    def complete(self, row: EpisodeRow) -> EpisodeRow:
        """The row of the last episode with the times of its requests, and digests of the first one."""
        request_ms, infer_ms = tuple(self._latency.request_ms), tuple(self._latency.infer_ms)
        return replace(row, request_ms=request_ms, infer_ms=infer_ms, first_request=dict(self._first_request))

    def start_episode(self, task: str, seed: int) -> None:
        """Forget the requests of the last episode, and tell the server that another one starts."""
        self._latency.clear()
        self._first_request.clear()
        self._policy.start_episode(session_id(task, seed))

    def infer(self, request: Request, again: Callable[[], Request]) -> Answer:
        """The server's answer to a request; on a new connection to `again`."""
        answer = self._policy.infer(request, again)
        self._latency.add(answer)
        if not self._first_request:
            self._first_request.update(digests(request))
        return answer

    @property
    def positions(self) -> bool:
        """A policy of DROID says that its actions are joint positions, not velocities."""
        return self._policy.metadata.get("action_space") == "joint_position"


class RemoteAgent:
    """Acts by the answers of a server."""

    def __init__(self, env: Environment, agents: RemoteAgents) -> None:
        self._env, self._agents = env, agents
        self._sent = SentSteps()
        self._chunks = policy_agent(agents.chosen, agents.layout.offsets, self._predict)

    def reset(self, observation: Observation, seed: int) -> None:
        self._agents.start_episode(self._env.spec.task, seed)
        self._chunks.reset(observation, seed)

    def act(self, observation: Observation) -> Float32Array:
        action = self._chunks.act(observation)
        if not self._agents.layout.droid:
            return action
        return droid_action(action, observation.qpos, self._env.spec.control_hz, positions=self._agents.positions)

    def _predict(self, observed: Observed) -> Chunk:
        layout, parts, unsent = self._agents.layout, self._agents.parts, observed
        if isinstance(observed, EpisodeWindow):
            unsent = self._sent.unsent(observed)
            self._sent.add(observed)
        answer = self._agents.infer(
            make_request(layout, self._env, unsent, parts), lambda: make_request(layout, self._env, observed, parts)
        )
        low, high = limits(layout, self._env)
        return Chunk(actions=read_actions(answer.content, low, high, self._agents.chosen.steps))


def make_request(layout: Layout, env: Environment, observed: Observed, parts: StateParts = state_parts) -> Request:
    """The message for an observation or the observations of a window; renders the images."""
    if isinstance(observed, Observation):
        return layout.request(observed, parts(env, observed))
    request = layout.stacked_request(list(observed.observations.values()), partial(parts, env))
    steps = np.array(list(observed.observations), np.int64)
    return {**request, EPISODE: observed.episode, STEP: observed.step, STEPS: steps}


def remote_environment(task: str, layout: Layout, settings: TaskSettings) -> Environment:
    """A task with the cameras and the control mode of a layout, and images of the family's size.

    Raises:
        UnknownNameError: The task has no such camera.
        UsageError: A perturbation changes nothing that is sent.
    """
    cameras = tuple(dict.fromkeys(layout.cameras.values()))
    env = settings.environment(
        task,
        control=layout.control,
        cameras=cameras,
        image_size=layout.image_size,
        render_quality=layout.render_quality,
    )
    env.check_perturbations_are_seen(cameras, instruction=bool(layout.prompt))
    return env


def session_id(task: str, seed: int) -> str:
    """An id that only this episode has, the same in every run."""
    return str(uuid5(NAMESPACE_URL, f"{task}/{seed}"))


def limits(layout: Layout, env: Environment) -> tuple[Float32Array, Float32Array]:
    """Lowest and highest useful action as the policy gives it."""
    if not layout.droid:
        return env.action_low, env.action_high
    return np.array([-1.0] * 7 + [0.0], np.float32), np.ones(8, np.float32)
