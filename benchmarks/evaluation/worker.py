"""What a worker process of `run-benchmark` does: roll out an episode, keep its states, report its row."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.evaluation.agents import AgentSource
from ambidex.benchmarks.results.folder import EpisodeStates, states_path
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.envs.env import Environment
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent


@dataclass(frozen=True, kw_only=True)
class EpisodeJob:
    """One episode to run.

    Attributes:
        task: Task name.
        seed: Episode seed.
    """

    task: str
    seed: int


class BenchmarkWorker:
    """Runs episodes, with one environment and one agent at a time.

    Args:
        source: Makes environments and agents.
        directory: The results folder.
        first: The task to prepare for at once, so that what cannot work fails before the first episode.
        policy: For the rows: who acts.

    Raises:
        RenderingError: The agents need images, and there is no OpenGL context to be had.
    """

    def __init__(self, source: AgentSource, directory: Path, first: str, policy: str) -> None:
        self._source, self._directory, self._policy = source, directory, policy
        self._prepare(first)

    def __call__(self, job: EpisodeJob) -> EpisodeRow:
        """The row of an episode, whose states are on disk by then."""
        if self._env.spec.task != job.task:
            self._env.close()
            self._prepare(job.task)
        result = rollout(self._env, self._agent, job.seed, stop_at_success=True)
        self._source.check()
        if result.started:
            EpisodeStates.of(result).write(states_path(self._directory, job.task, job.seed))
        return EpisodeRow.of(result, policy=self._policy, execution=self._source.execution)

    def _prepare(self, task: str) -> None:
        self._env: Environment = self._source.environment(task)
        if self._env.spec.cameras:
            self._env.render(self._env.scene.state(), self._env.spec.cameras[0])
        self._agent: Agent = self._source.agent(self._env)
