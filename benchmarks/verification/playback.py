"""Plays back episodes of a results folder from their stored actions: what `verify-results` does, from Python."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.verification.worker import Playback, PlaybackWorker
from ambidex.errors import UsageError
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError

DEFAULT_EPISODES = 50

PlayedBack = tuple[EpisodeRow, Playback | WorkerError]


def drawn_rows(rows: list[EpisodeRow], episodes: int | None, seed: int) -> list[EpisodeRow]:
    """Rows of episodes drawn at random without replacement, in the order given; None for all, at most 50.

    Raises:
        UsageError: Less than 1 episode, or a negative seed.
    """
    if seed < 0 or (episodes is not None and episodes < 1):
        problem = f"--episodes {episodes} --seed {seed}: expected at least 1 episode, and a seed of 0 or more."
        raise UsageError(problem, episodes=episodes, seed=seed)
    count = min(len(rows), DEFAULT_EPISODES if episodes is None else episodes)
    drawn = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return [rows[index] for index in sorted(drawn)]


def play_back(path: Path, rows: list[EpisodeRow], workers: int | None = None) -> Iterator[PlayedBack]:
    """Play back episodes of a results folder.

    Args:
        path: The folder.
        rows: The rows of the episodes.
        workers: Worker processes; None for one per usable CPU, 0 for this process.

    Yields:
        Each row with its result, as they finish; one that cannot be played back with its error.
    """
    factory = partial(PlaybackWorker, ResultsFolder(path).info.env_specs, path)
    with Pool[EpisodeRow, Playback](factory, worker_count(workers, len(rows))) as pool:
        yield from pool.results(rows)
