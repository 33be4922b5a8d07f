"""The video of one episode, to be made."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.code_runs import CodeRuns
from ambidex.envs.types import EnvSpec, Outcome


@dataclass(frozen=True, kw_only=True)
class FilmJob:
    """Make the video of one episode.

    Attributes:
        spec: Of the environment that renders: its cameras, image size and quality; see `Look.spec`.
        seed: Episode seed.
        outcome: How it ended.
        states: The file with its states: an episode file of a dataset, or one of a results folder.
        video: The file to write.
        codes: The code behind each action; empty for who has none.
    """

    spec: EnvSpec
    seed: int
    outcome: Outcome
    states: Path
    video: Path
    codes: CodeRuns = ()
