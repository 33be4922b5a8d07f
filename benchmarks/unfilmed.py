"""Episodes of which no video can be made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.seed_ranges import in_ranges
from ambidex.errors import DatasetError
from ambidex.text import counted

SHOWN = 2  # reasons that are told in full


class StatesError(DatasetError):
    """The states of one episode are missing, damaged or of another world. Others may be good."""


@dataclass(frozen=True, kw_only=True)
class Unfilmed:
    """An episode of which no video can be made.

    Attributes:
        task: Task name.
        seed: Episode seed.
        states: The file with its states, there or not.
        why: In a paragraph, with what to do.
    """

    task: str
    seed: int
    states: Path
    why: str


def unfilmed_words(episodes: Sequence[Unfilmed]) -> str:
    """What is to be said of episodes without a video; empty for none."""
    if not episodes:
        return ""
    told = "; ".join(f"{episode.task}, seed {episode.seed}: {episode.why}" for episode in episodes[:SHOWN])
    others = in_ranges((episode.task, episode.seed) for episode in episodes[SHOWN:])
    also = f"; and likewise {others}" if others else ""
    return f"{counted(len(episodes), 'video')} could not be made. {told}{also}"
