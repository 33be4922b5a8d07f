"""All steps of several episodes as rows of a few arrays; frames stay in the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import EnvSpec, Float32Array
from ambidex.policies.messages import PolicyInputs

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class EpisodeEntry:
    """One episode of the table, with T control steps.

    Attributes:
        path: The episode, a file or FILE/demo_I.
        steps: T.
        seed: Episode seed.
        instruction: Its task in words.
        task: Task name.
        states_sha256: SHA-256 of its states.
        initial_state_sha256: SHA-256 of the first of them, or of the initial state of the failed episode that it
            continues.
        perturb: Perturbations, axes with levels; with `look` they distinguish renderings of the same states.
        look: Which of several looks of an episode.
    """

    path: Path
    steps: int
    seed: int
    instruction: str
    task: str
    states_sha256: str
    initial_state_sha256: str
    perturb: tuple[str, ...] = ()
    look: int = 0

    @property
    def initial_state(self) -> tuple[str, str]:
        """Identifies where the episode starts: task, and SHA-256 of the initial state."""
        return self.task, self.initial_state_sha256


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeTable:
    """E episodes one after the other, N steps in all, one row for each step.

    Attributes:
        spec: Merged spec of all datasets.
        specs: Spec of each dataset, by its folder.
        entries: The episodes.
        qpos: Shape (N, J).
        objects: Shape (N, 7 * objects).
        actions: In the spec's control mode, shape (N, A).
    """

    spec: EnvSpec
    specs: Mapping[Path, EnvSpec]
    entries: tuple[EpisodeEntry, ...]
    qpos: Float32Array
    objects: Float32Array
    actions: Float32Array

    @cached_property
    def ends(self) -> RowArray:
        """The row after each episode's last, shape (E,)."""
        return np.cumsum([entry.steps for entry in self.entries], dtype=np.int64)

    @cached_property
    def starts(self) -> RowArray:
        """Each episode's first row, shape (E,)."""
        return self.ends - np.array([entry.steps for entry in self.entries], np.int64)

    @cached_property
    def episode_of_row(self) -> RowArray:
        """Index of each row's episode, shape (N,)."""
        return np.repeat(np.arange(len(self.entries)), [entry.steps for entry in self.entries])

    @cached_property
    def last_rows(self) -> RowArray:
        """The last row of each row's episode, shape (N,)."""
        rows: RowArray = (self.ends - 1)[self.episode_of_row]
        return rows

    def windows(self, rows: RowArray, inputs: PolicyInputs) -> tuple[RowArray, BoolArray | None]:
        """The rows that a policy looks at in some rows (B,), oldest first, and which of them lie in the episode.

        Both have the shape (B, H); positions before the start of an episode have its first row. A policy without a
        history looks at the rows themselves.
        """
        if inputs.history == 1:
            return rows, None
        wanted = rows[:, None] - np.array(inputs.offsets)
        first = self.starts[self.episode_of_row[rows]][:, None]
        return np.maximum(wanted, first), wanted >= first

    def rows(self, episodes: Sequence[int]) -> RowArray:
        """All rows of some episodes."""
        return np.concatenate([np.arange(self.starts[i], self.ends[i]) for i in episodes] or [np.empty(0, np.int64)])

    def __len__(self) -> int:
        return len(self.actions)


def row_blocks(rows: int, size: int) -> list[RowArray]:
    """The numbers of all rows in order, in blocks of at most this size."""
    return [np.arange(first, min(first + size, rows)) for first in range(0, rows, size)]
