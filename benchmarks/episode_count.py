"""How many episodes a results folder holds, and how many it should."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.results_folder import RESULTS, SUMMARY
from ambidex.benchmarks.running.benchmark_config import BenchmarkConfig
from ambidex.benchmarks.running.benchmark_info import BenchmarkInfo
from ambidex.command_line import from_text
from ambidex.errors import AmbidexError

COMMAND = "run-benchmark"


@dataclass(frozen=True, kw_only=True)
class EpisodeCount:
    """How many episodes a results folder holds, and how many it should.

    Attributes:
        folder: The results folder.
        there: Rows of results.jsonl.
        wanted: Episodes that were asked for; None if nobody knows.
        summed: Episodes that summary.json counts; None if there is none.
    """

    folder: Path
    there: int
    wanted: int | None
    summed: int | None

    @property
    def unfinished(self) -> str:
        """Of how many the episodes there are only a part, and how to go on; empty if all are there or nobody knows."""
        if self.wanted is None or self.there >= self.wanted:
            return ""
        return (
            f"is not finished: {self.there} of {self.wanted} episodes are there, and its rates are those of these "
            f"alone. If it no longer runs, go on with: {self._resume}"
        )

    @property
    def lost(self) -> str:
        """How many rows are gone, and what to do; empty if none is known to be."""
        if self.summed is None or self.there >= self.summed:
            return ""
        return (
            f"has lost episodes: {SUMMARY} counts {self.summed}, {RESULTS} has {self.there}. Rows were removed after "
            "the run, and the rates of those that are left can mislead. Restore the file, or make the missing rows "
            f"again with: {self._resume}"
        )

    @property
    def warning(self) -> str:
        """What a reader should know before trusting the rates, with the folder; empty for nothing."""
        said = self.lost or self.unfinished
        return f"{self.folder} {said}" if said else ""

    def in_words(self) -> str:
        """The numbers alone, e.g. "7 of 30: not finished"."""
        of = "" if self.wanted is None else f" of {self.wanted}"
        state = "some were lost" if self.lost else "not finished" if self.unfinished else ""
        return ": ".join(filter(None, (f"{self.there}{of}", state)))

    @property
    def _resume(self) -> str:
        return shlex.join([COMMAND, "--resume", "--output-dir", str(self.folder)])


def episodes_per_task(info: BenchmarkInfo) -> int | None:
    """How many episodes of each task were asked for; None if a command of another version does not tell."""
    try:
        return from_text(COMMAND, info.command, BenchmarkConfig).episodes
    except AmbidexError:
        return None


def episodes_wanted(info: BenchmarkInfo) -> int | None:
    """How many episodes were asked for in all; None if a command of another version does not tell."""
    each = episodes_per_task(info)
    return None if each is None else each * len(info.env_specs)
