"""The result of a benchmark: summary.json, and the table at the end of a run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ambidex.benchmarks.gallery.report import Report
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow, solved_at_start_note
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.statistics.mean import means_by_name
from ambidex.benchmarks.videos.jobs import MissingVideo
from ambidex.codec import to_json
from ambidex.envs.registry import FAMILIES
from ambidex.envs.shards import Shard
from ambidex.envs.types import Outcome
from ambidex.intervals import tasks_interval
from ambidex.text import first_few, first_line, pluralize, text_table

VERDICTS = {"ask": "the operator's", "robot": "the robot's own", "file": "from a file"}
CRITERIA = {
    "strict": "An episode ends when success has held for the task's hold time ({hold}).",
    "libero": "LIBERO's criterion: an episode ends at the first step at which the goal holds, released or not.",
}


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long a run took [s], start-up included, and how many episodes it ran; those of earlier runs do not count."""

    episodes: int
    wall_s: float
    workers: int

    @classmethod
    def of_last_run(cls, results: ResultsFolder) -> Self | None:
        """The timings in summary.json; None if there are none."""
        stored = results.stored_summary
        if stored is None or not stored.timings:
            return None
        values = stored.timings
        return cls(episodes=int(values["episodes"]), wall_s=values["wall_s"], workers=int(values["workers"]))

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
    """The result of a benchmark. As text it is the table of success rates.

    Attributes:
        directory: The results folder.
        info: What produced it.
        rows: The rows of all runs, by task and seed.
        requested: Episodes requested.
        suite: Name of the suite; None for a task.
        timings: Of the last run that ran an episode.
        worker_errors: One line for each episode that did not finish because its worker failed.
        resume_command: The command that runs missing episodes and renders missing videos.
        report: report.html, once it is written.
        missing_videos: Episodes whose video was requested and cannot be rendered.
    """

    directory: Path
    info: BenchmarkInfo
    rows: Sequence[EpisodeRow]
    requested: int
    suite: str | None
    timings: Timings
    worker_errors: tuple[str, ...]
    resume_command: str
    report: Report | None = None
    missing_videos: tuple[MissingVideo, ...] = ()

    def __repr__(self) -> str:
        return f"<BenchmarkSummary {self.info.policy}: {self.overall}, results in {self.directory}>"

    @property
    def complete(self) -> bool:
        """Every requested episode has a row."""
        return len(self.rows) >= self.requested

    @property
    def tasks(self) -> dict[str, Tally]:
        """Task -> tally of its rows."""
        return {task: Tally.of(self._rows_of(task), spec.stages) for task, spec in self.info.env_specs.items()}

    @property
    def overall(self) -> Tally:
        """Tally of all tasks together."""
        return Tally.of(self.rows)

    @property
    def unseen(self) -> dict[str, Tally]:
        """What was unlike the training data, or "nothing" -> tally of these rollouts; empty if nothing ever was."""
        labels = sorted({label for row in self.rows for label in row.unseen})
        chosen = {label: [row for row in self.rows if label in row.unseen] for label in labels}
        return {key: Tally.of(rows) for key, rows in ({"nothing": self._seen()} | chosen).items() if labels and rows}

    def _seen(self) -> list[EpisodeRow]:
        return [row for row in self.rows if not row.unseen]

    @property
    def late_steps(self) -> int:
        """Commands to a robot that came more than one control period late."""
        return sum(row.late_steps for row in self.rows)

    @property
    def tasks_interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean rate of tasks like these, instead of these; None if that is unknown."""
        return tasks_interval([(tally.successes, tally.n) for tally in self.tasks.values()])

    @property
    def warning(self) -> str:
        """Tasks that the policy was not trained on, and episodes with nothing to do; empty if there are none."""
        return " ".join(filter(None, (self.info.warning, solved_at_start_note(self.rows))))

    def _rows_of(self, task: str) -> list[EpisodeRow]:
        return [row for row in self.rows if row.task == task]

    def to_dict(self) -> dict[str, object]:
        """The content of summary.json."""
        info = to_json(self.info)
        suite = {
            "name": self.suite,
            **asdict(self.overall),
            "tasks_interval": self.tasks_interval,
            **_speed(self.rows),
            **_behaviour(self.rows),
        }
        return {
            "policy": self.info.policy,
            "execution": self.info.execution,
            "protocol": self.info.protocol,
            "warning": self.warning,
            "complete": self.complete,
            "tasks": {task: asdict(tally) | self._details(task) for task, tally in self.tasks.items()},
            "suite": None if self.suite is None else suite,
            **self._robot_values(),
            "timings": self.timings.to_dict(),
            "broken": list(self.worker_errors),
            **{
                key: info[key]
                for key in ("command", "checkpoint", "serving", "remote", "source", "versions", "machine")
            },
        }

    def _details(self, task: str) -> dict[str, object]:
        rows = self._rows_of(task)
        return {**_speed(rows), **_behaviour(rows)}

    def _robot_values(self) -> dict[str, object]:
        """What summary.json has of rollouts on a robot only."""
        if not self.info.verdicts:
            return {}
        unseen = {label: asdict(tally) for label, tally in self.unseen.items()}
        return {"verdicts": self.info.verdicts, "late_steps": self.late_steps, "unseen": unseen}

    def _robot_lines(self) -> list[str]:
        lines = [f"Unseen {label}: {tally}" for label, tally in self.unseen.items()]
        if not self.late_steps:
            return lines
        steps, rollouts = sum(row.steps for row in self.rows), sum(bool(row.late_steps) for row in self.rows)
        late = f"{self.late_steps} of {pluralize(steps, 'command')}, in {pluralize(rollouts, 'rollout')}, came late"
        return [*lines, f"{late}: more than one control period after they were due."]

    def __str__(self) -> str:
        """The table of success rates with their intervals, stages, the criterion of success, notes and the pace."""
        tasks = self.tasks
        rows = [_table_row(task, tally) for task, tally in tasks.items()]
        if len(tasks) > 1:
            rows.append(_table_row(self.suite or "all", self.overall))
        table = text_table(("task", "success", "errors", "mean steps"), rows)
        stages = [f"{task}: {_stage_counts(tally)}" for task, tally in tasks.items() if tally.n]
        report = [] if self.report is None else [f"See {self.report.path.resolve().as_uri()}", self.report.note]
        warning = filter(None, [self.warning])
        several = [self._tasks_note()] if len(tasks) > 1 else []
        shard = [self._shard_note(self.info.shard)] if self.info.shard else []
        lines = [table, *shard, *several, "", "Stages reached:", *stages, "", self._criterion(), *self._robot_lines()]
        lines += [*self.info.notes, *warning]
        lines += [self._pace(), *filter(None, [_describe_latency(self.rows)]), *report]
        return "\n".join(lines).rstrip()

    def _shard_note(self, shard: Shard) -> str:
        return f"These are the episodes of shard {shard.position} only. merge-results makes one run of all."

    def _tasks_note(self) -> str:
        interval = self.tasks_interval
        others = (
            "unknown, because their rates do not differ"
            if interval is None
            else "{:.1f} to {:.1f} %".format(*(100 * end for end in interval))
        )
        return (
            f"The interval of {self.suite or 'all'} is for these {len(self.tasks)} tasks only. "
            f"For tasks of which these are a sample (bootstrap over tasks): {others}."
        )

    def _criterion(self) -> str:
        if self.info.verdicts:
            return f"Whether a rollout succeeded is {VERDICTS[self.info.verdicts]} verdict."
        spec = next(iter(self.info.env_specs.values()))
        criterion = CRITERIA[spec.success].format(hold=f"{FAMILIES[spec.family].hold_s:g} s")
        return f"{criterion} Protocol: {self.info.protocol}." if self.info.protocol else criterion

    def _pace(self) -> str:
        pace = self.timings.to_dict()["episodes_per_min"]
        took = f"{self.timings.wall_s:.1f} s, {pace:.0f} per minute"
        return f"{pluralize(self.timings.episodes, self._noun)} run in {took}; results in {self.directory}"

    @property
    def _noun(self) -> str:
        return "rollout" if self.info.verdicts else "episode"

    @property
    def hopeless(self) -> bool:
        """Every episode ended with an error, so that the rates say nothing about the policy."""
        return bool(self.rows) and self.overall.errors == len(self.rows)

    def describe_errors(self) -> str:
        """How many episodes ended with an error, and the first of them; empty if none did."""
        errors = [
            f"{row.task}, seed {row.seed}: {first_line(row.error)}" for row in self.rows if row.outcome is Outcome.ERROR
        ]
        if not errors:
            return ""
        return f"{len(errors)} of {pluralize(len(self.rows), self._noun)} ended with an error. The first: {errors[0]}"

    def describe_worker_errors(self) -> str:
        """Which episodes are missing because of worker errors, and how to run them again."""
        errors = first_few([error.rstrip(".") for error in self.worker_errors])
        return (
            f"{len(self.rows)} of {self.requested} episodes have a row. Workers failed on the others, which does not "
            f"count against the policy: {errors}. Run them again with: {self.resume_command}"
        )


def _speed(rows: Sequence[EpisodeRow]) -> dict[str, float | None]:
    """Pace of one worker during rollouts; the pace of all workers, start-up included, is in the timings."""
    seconds = sum(row.wall_s for row in rows)
    pace = {"episodes_per_min_and_worker": round(60 * len(rows) / seconds, 2) if seconds else None}
    return {**pace, **_latency(rows)}


def _behaviour(rows: Sequence[EpisodeRow]) -> dict[str, object]:
    """What the agent did, as means with intervals; empty for rollouts on robots and rows of earlier versions."""
    found = means_by_name(row.behaviour.numbers for row in rows if row.behaviour)
    means = {name: asdict(mean) for name, mean in found.items()}
    return {"behaviour": means} if means else {}


def _latency(rows: Sequence[EpisodeRow]) -> dict[str, float | None]:
    """Median and 95th percentile of the times of requests [ms], and requests per second of one worker, if any.

    The server's own times are None if it does not say them.
    """
    requests, inferences = ([ms for row in rows for ms in getattr(row, name)] for name in ("request_ms", "infer_ms"))
    if not requests:
        return {}
    seconds = sum(row.wall_s for row in rows if row.request_ms)
    times = {"request_ms": requests, "infer_ms": inferences}
    return {
        "requests": len(requests),
        **{
            f"{name}_p{share}": round(float(np.percentile(values, share)), 2) if values else None
            for name, values in times.items()
            for share in (50, 95)
        },
        "requests_per_s_and_worker": round(len(requests) / seconds, 2) if seconds else None,
    }


def _describe_latency(rows: Sequence[EpisodeRow]) -> str:
    """The times of requests to the server of a policy in a sentence or two; empty if there are none."""
    found = {name: "" if value is None else f"{value:,g}" for name, value in _latency(rows).items()}
    if not found:
        return ""
    own = f"; its policy took {found['infer_ms_p50']} and {found['infer_ms_p95']} ms" if found["infer_ms_p50"] else ""
    return (
        f"The server answered {found['requests']} requests, half of them within {found['request_ms_p50']} ms and 95 % "
        f"within {found['request_ms_p95']} ms{own}. One worker made {found['requests_per_s_and_worker']} per second."
    )


def _table_row(task: str, tally: Tally) -> tuple[str, str, str, str]:
    steps = "" if tally.mean_steps is None else f"{tally.mean_steps:.0f}"
    return task, str(tally), str(tally.errors), steps


def _stage_counts(tally: Tally) -> str:
    return ", ".join(f"{stage.name} {stage.count}/{tally.n}" for stage in tally.stages)
