"""What the page's program is given: runs, tallies and episodes as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ambidex.benchmarks.gallery.runs import Media, ReportEpisode, ReportRun
from ambidex.benchmarks.results.tally import Tally

MediaOf = Callable[[int, ReportEpisode], Media]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The episodes of one task of a run, or of all its tasks.

    Attributes:
        task: Task name; empty for all tasks.
        stages: Stage names from 0, "none"; empty for all tasks.
        tally: Outcomes and stages.
        missing: Episodes that were requested and are not stored.
    """

    task: str
    stages: tuple[str, ...]
    tally: Tally
    missing: int

    def to_dict(self) -> dict[str, object]:
        """JSON-ready; `reached` counts the episodes that reached each stage."""
        tally, (low, high) = self.tally, self.tally.interval
        return {
            "task": self.task,
            "n": tally.n,
            "successes": tally.successes,
            "errors": tally.errors,
            "low": low,
            "high": high,
            "stages": self.stages,
            "reached": [tally.n, *(stage.count for stage in tally.stages)][: len(self.stages)],
            "missing": self.missing,
        }

    def __str__(self) -> str:
        """The rate with its interval, and how many episodes are missing."""
        missing = f", {self.missing} of {self.tally.n + self.missing} episodes missing" if self.missing else ""
        return f"{self.task or 'all tasks'}: {self.tally}{missing}"


@dataclass(frozen=True, kw_only=True)
class Model:
    """What the page shows.

    Attributes:
        runs: One, or two to compare.
        media: Index of a run and its episode -> how the page gets at the video.
        notice: What must be said at the top, beside the warnings of the runs; empty for nothing.
    """

    runs: Sequence[ReportRun]
    media: MediaOf
    notice: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The runs' labels, with their folders where the labels alone are the same."""
        labels = [run.label for run in self.runs]
        if len(set(labels)) < len(labels):
            labels = [f"{run.label} ({run.folder})" for run in self.runs]
        return tuple(labels)

    @property
    def title(self) -> str:
        """What the page is called."""
        tasks = list(dict.fromkeys(task for run in self.runs for task in run.tasks))
        where = ", ".join(tasks) if len(tasks) <= 3 else f"{len(tasks)} tasks"
        return f"{' and '.join(self.labels)} on {where}"

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every run's tasks, and all of them together where there are several."""
        return tuple(group for run in self.runs for group in (*_tasks(run), *_total(run)))

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "source": " and ".join(str(run.folder) for run in self.runs),
            "notice": "\n".join(filter(None, (*self._warnings(), self.notice))),
            "short": any(run.shortfall for run in self.runs),
            "runs": [self._run(index) for index in range(len(self.runs))],
        }

    def _warnings(self) -> list[str]:
        """What is short, which names its folder, and then the warnings of the runs."""
        warned = [(label, run.warning) for label, run in zip(self.labels, self.runs, strict=True) if run.warning]
        warnings = [f"{label}: {warning}" if len(self.runs) > 1 else warning for label, warning in warned]
        return [*(run.shortfall for run in self.runs if run.shortfall), *warnings]

    def _run(self, index: int) -> dict[str, object]:
        run = self.runs[index]
        return {
            "label": self.labels[index],
            "facts": [("folder", str(run.folder)), *run.facts],
            "tasks": [group.to_dict() for group in _tasks(run)],
            "total": next((group.to_dict() for group in _total(run)), None),
            "episodes": [self._episode(index, episode) for episode in run.episodes],
        }

    def _episode(self, index: int, episode: ReportEpisode) -> dict[str, object]:
        spec = self.runs[index].specs[episode.task]
        codes = {"codes": {"step_s": 1 / spec.control_hz, "runs": episode.codes}} if episode.codes else {}
        return {
            "task": episode.task,
            "seed": episode.seed,
            "outcome": str(episode.outcome),
            "stage": episode.stage,
            "reason": episode.reason,
            "checks": list(episode.checks.items()),
            "facts": episode.facts,
            "command": episode.command,
            "media": self.media(index, episode).to_dict(),
            **codes,
        }


def _tasks(run: ReportRun) -> tuple[Group, ...]:
    return tuple(
        _group([e for e in run.episodes if e.task == task], run.asked, task=task, stages=spec.stages)
        for task, spec in run.specs.items()
    )


def _total(run: ReportRun) -> tuple[Group, ...]:
    asked = None if run.asked is None else run.asked * len(run.specs)
    return (_group(run.episodes, asked),) if len(run.specs) > 1 else ()


def _group(
    episodes: Sequence[ReportEpisode], asked: int | None, *, task: str = "", stages: tuple[str, ...] = ()
) -> Group:
    missing = max(0, (asked or 0) - len(episodes))
    return Group(task=task, stages=stages, tally=Tally.of(episodes, stages), missing=missing)
