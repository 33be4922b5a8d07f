"""The code behind each action of an episode, run-length encoded: a code is kept for a whole chunk."""

from collections.abc import Iterable
from itertools import accumulate, groupby

from ambidex.envs.types import NO_CODE

CodeRuns = tuple[tuple[int, int], ...]
"""Codes, and for how many steps each was played, in order; empty for who has none."""


def code_runs(codes: Iterable[int]) -> CodeRuns:
    """The codes of an episode as runs."""
    runs = tuple((int(code), len(list(steps))) for code, steps in groupby(codes))
    return () if all(code == NO_CODE for code, _ in runs) else runs


def code_at(runs: CodeRuns, step: int) -> int:
    """The code of a step, the last one's from there on; `NO_CODE` if there is none."""
    ends = accumulate(steps for _, steps in runs)
    here = (code for (code, _), end in zip(runs, ends, strict=True) if step < end)
    return next(here, runs[-1][0] if runs else NO_CODE)
