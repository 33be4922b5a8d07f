"""summary.json, and the table at the end of a run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_json
from ambidex.benchmarks.gallery.report import Report
from ambidex.benchmarks.results.folder import SUMMARY
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.videos.jobs import MissingVideo
from ambidex.codec import to_json
from ambidex.text import pluralize, text_table

ENDS = {
    "strict": "An episode ends at the first success that has held for the task's hold time ({hold}).",
    "libero": "LIBERO's criterion: an episode ends at the first step at which the goal holds, released or not.",
}
SHOWN = 3  # episodes that are named in a message


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long the last run took that ran an episode, start-up included; those of earlier runs do not count.

    Attributes:
        episodes: Episodes of this run.
        wall_s: Wall-clock seconds.
        workers: Worker processes.
    """

    episodes: int
    wall_s: float
    workers: int

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """Those of the last run, from summary.json; None if there is none."""
        path = directory / SUMMARY
        if not path.is_file():
            return None
        values = json.loads(path.read_text(encoding="utf-8"))["timings"]
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    def to_dict(self) -> dict[str, float]:
        """JSON-ready, with the pace."""
        return {
            "episodes": self.episodes,
            "wall_s": round(self.wall_s, 3),
            "workers": self.workers,
            "episodes_per_min": round(60 * self.episodes / self.wall_s, 2) if self.wall_s else 0.0,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class BenchmarkSummary:
    """What a benchmark found.

    Attributes:
        directory: The results folder.
        info: What it was made with.
        rows: The rows of all runs, by task and seed.
        wanted: Episodes asked for.
        suite: Name of the suite; None for a task.
        timings: Of this run.
        broken: One line for each episode that the machine did not let come to its end.
        report: The page that shows it all, once it is written.
        missing_videos: Episodes of which a video was asked for and cannot be made.
    """

    directory: Path
    info: BenchmarkInfo
    rows: Sequence[EpisodeRow]
    wanted: int
    suite: str | None
    timings: Timings
    broken: tuple[str, ...]
    report: Report | None = None
    missing_videos: tuple[MissingVideo, ...] = ()

    @property
    def complete(self) -> bool:
        """Every episode asked for has its row."""
        return len(self.rows) >= self.wanted

    @property
    def tasks(self) -> dict[str, Tally]:
        """Task -> what its rows amount to."""
        return {task: Tally.of(self._of(task), spec.stages) for task, spec in self.info.env_specs.items()}

    @property
    def overall(self) -> Tally:
        """All tasks together."""
        return Tally.of(self.rows)

    def _of(self, task: str) -> list[EpisodeRow]:
        return [row for row in self.rows if row.task == task]

    def write(self) -> None:
        """Write summary.json.

        Raises:
            DatasetError: It cannot be written.
        """
        write_json(self.directory / SUMMARY, self.to_dict())

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        info = to_json(self.info)
        return {
            "policy": self.info.policy,
            "execution": self.info.execution,
            "protocol": self.info.protocol,
            "warning": self.info.warning,
            "complete": self.complete,
            "tasks": {task: {**summary.to_dict(), **_speed(self._of(task))} for task, summary in self.tasks.items()},
            "suite": None
            if self.suite is None
            else {"name": self.suite, **self.overall.to_dict(), **_speed(self.rows)},
            "timings": self.timings.to_dict(),
            "broken": list(self.broken),
            **{key: info[key] for key in ("command", "checkpoint", "serving", "versions", "machine")},
        }

    def in_words(self) -> str:
        """The table: every rate with its interval."""
        tasks = self.tasks
        rows = [_cells(task, summary) for task, summary in tasks.items()]
        if len(tasks) > 1:
            rows.append(_cells(self.suite or "all", self.overall))
        table = text_table(("task", "success", "errors", "mean steps"), rows)
        funnels = [f"{task}: {_funnel(summary)}" for task, summary in tasks.items() if summary.n]
        page = [] if self.report is None else [f"See {self.report.path.resolve().as_uri()}", self.report.note]
        notes = self.info.serving.notes if self.info.serving else ()
        warning = [self.info.warning] if self.info.warning else []
        lines = [table, "", "Stages reached:", *funnels, "", self._terms(), *notes, *warning, self._pace(), *page]
        return "\n".join(lines).rstrip()

    def _terms(self) -> str:
        """When an episode counts, and by whose protocol."""
        spec = next(iter(self.info.env_specs.values()))
        ends = ENDS[spec.success].format(hold="0.5 s" if spec.family == "libero" else "0.2 s")
        return " ".join(filter(None, (ends, f"Protocol: {self.info.protocol}." if self.info.protocol else "")))

    def _pace(self) -> str:
        pace = self.timings.to_dict()["episodes_per_min"]
        took = f"{self.timings.wall_s:.1f} s, {pace:.0f} per minute"
        return f"{pluralize(self.timings.episodes, 'episode')} run in {took}; results in {self.directory}"

    def shortfall(self, command: str) -> str:
        """What to say when episodes are missing; `command` is how to go on."""
        more = f" (and {len(self.broken) - SHOWN} more)" if len(self.broken) > SHOWN else ""
        return (
            f"{len(self.rows)} of {self.wanted} episodes have their row. The others did not come to their end, for "
            f"reasons that do not lie in the policy: {' '.join(self.broken[:SHOWN])}{more} Try them again "
            f"with: {command}"
        )


def _speed(rows: Sequence[EpisodeRow]) -> dict[str, float | None]:
    """Pace of one worker while it rolls out; the pace of all workers, start-up included, is in the timings."""
    seconds = sum(row.wall_s for row in rows)
    return {"episodes_per_min_and_worker": round(60 * len(rows) / seconds, 2) if seconds else None}


def _cells(task: str, summary: Tally) -> tuple[str, str, str, str]:
    steps = "" if summary.mean_steps is None else f"{summary.mean_steps:.0f}"
    return task, summary.in_words(), str(summary.errors), steps


def _funnel(summary: Tally) -> str:
    return ", ".join(f"{stage.name} {stage.count}/{summary.n}" for stage in summary.stages)
