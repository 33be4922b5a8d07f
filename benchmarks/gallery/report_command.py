"""The command that runs one episode of a stored run again."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ambidex.benchmarks.running.benchmark_config import BenchmarkConfig
from ambidex.command_line import from_text, to_text
from ambidex.errors import AmbidexError
from ambidex.recorders.recording.config import RecordConfig

BENCHMARK, RECORD = "run-benchmark", "record-episodes"


class CommandPerEpisode:
    """Narrows the command of a run to one of its episodes.

    A command of another version, which cannot be understood, is given as it stands: it runs all episodes.

    Args:
        text: The command of the whole run, as it was stored.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def benchmark(self, task: str, seed: int) -> str:
        """Of an episode that run-benchmark ran."""
        config = self._benchmark
        if config is None:
            return self._text
        folder = Path("results") / f"{config.policy}-{task.replace('/', '-')}-seed-{seed}"
        one = replace(config, task=task, suite=None, seed=seed, episodes=1, video="all", output_dir=folder)
        return _with_seed(to_text(BENCHMARK, one, brief=True), seed)

    def recording(self, task: str, seed: int) -> str:
        """Of an episode that record-episodes attempted."""
        config = self._recording
        if config is None:
            return self._text
        folder = Path("data") / f"{task.replace('/', '-')}-seed-{seed}"
        one = replace(config, task=task, seed=seed, num_episodes=1, max_attempts=1, output_dir=folder)
        return _with_seed(to_text(RECORD, replace(one, keep_failures=True, video="all"), brief=True), seed)

    @cached_property
    def _benchmark(self) -> BenchmarkConfig | None:
        try:
            return from_text(BENCHMARK, self._text, BenchmarkConfig)
        except AmbidexError:
            return None

    @cached_property
    def _recording(self) -> RecordConfig | None:
        try:
            return from_text(RECORD, self._text, RecordConfig)
        except AmbidexError:
            return None


def _with_seed(command: str, seed: int) -> str:
    """The command with its seed, even where that is the default."""
    return command if " --seed " in command else f"{command} --seed {seed}"
