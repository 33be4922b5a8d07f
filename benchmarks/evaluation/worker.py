"""The worker process of `run-benchmark`: rolls out episodes, stores their states and returns their rows."""

from pathlib import Path

from ambidex.benchmarks.evaluation.agents import AgentSource
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import TakeOverStep
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.results.states import EpisodeStates, taken_over_event, taken_over_state
from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent


class BenchmarkWorker:
    """Runs episodes, with one environment and one agent at a time.

    Args:
        source: Makes environments and agents.
        directory: The folder to write to, as a results folder.
        first: The task to prepare at once, so that impossible settings fail before the first episode.
        policy: Name of the policy or baseline, for the rows.
        take_over: Where the episodes start; None for the initial states of their seeds.
    """

    def __init__(
        self, source: AgentSource, directory: Path, first: str, policy: str, take_over: TakeOverStep | None = None
    ) -> None:
        self._source, self._results, self._policy = source, ResultsFolder(directory), policy
        self._take_over = take_over
        self._prepare(first)

    def __call__(self, episode: EpisodeKey) -> EpisodeRow:
        """Run an episode; its states are on disk when the row is returned."""
        task, seed = episode
        if self._env.spec.task != task:
            self._env.close()
            self._prepare(task)
        start = self._take_over
        result = rollout(
            self._env,
            self._agent,
            seed,
            stop_at_success=True,
            initial_state=taken_over_state(start, task, seed) if start else None,
            event_step=taken_over_event(start, task, seed) if start else None,
            meter=self._meter,
        )
        self._source.check()
        if result.started:
            EpisodeStates.of(result).write(self._results.states_path(task, seed))
        model = self._env.scene.model_sha256
        row = EpisodeRow.of(result, policy=self._policy, execution=self._source.execution, model_sha256=model)
        return self._source.complete(row)

    def _prepare(self, task: str) -> None:
        self._env: Environment = self._source.environment(task)
        if self._env.spec.cameras:
            self._env.render(self._env.scene.state(), self._env.spec.cameras[0])
        self._agent: Agent = self._source.agent(self._env)
        self._meter = BehaviourMeter(self._env)
