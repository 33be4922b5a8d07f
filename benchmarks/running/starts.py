"""The files of initial states that a benchmark's episodes begin from."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.benchmarks.running.benchmark_config import BenchmarkConfig
from ambidex.benchmarks.running.terms import Terms
from ambidex.envs.file_identity import file_sha256
from ambidex.envs.tasks.libero.initial.state_file import read_init_states
from ambidex.errors import UsageError


def starts_sha256(config: BenchmarkConfig, tasks: Sequence[str], terms: Terms) -> dict[str, str]:
    """Task -> fingerprint of the file of its initial states; empty for starts of our own.

    Raises:
        UsageError: A task has no such file, or one with fewer states than episodes: an episode from the same start is
            the same again, and counts as no other.
        DatasetError: A file cannot be read.
    """
    if config.init_states and not config.init_states.is_dir() and len(tasks) > 1:
        raise UsageError(
            f"--init-states {config.init_states} is one file, and there are {len(tasks)} tasks. Give the folder with "
            "one file per task, or one --task."
        )
    files = {task: file for task in tasks if (file := terms.starts_of(task)) is not None}
    for file in sorted(set(files.values())):
        _check_count(file, config.episodes or 0)
    return {task: file_sha256(file) for task, file in files.items()}


def _check_count(file: Path, episodes: int) -> None:
    states = len(read_init_states(file))
    if states < episodes:
        raise UsageError(
            f"--episodes {episodes}: {file} holds {states} initial states, and an episode from the same one says "
            f"nothing new, so the interval would promise too much. Give --episodes {states} or fewer."
        )
