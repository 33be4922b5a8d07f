"""What the page's program is given: runs, tallies and episodes as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from ambidex.benchmarks.gallery.runs import Media, ReportEpisode, ReportRun
from ambidex.envs.types import Outcome
from ambidex.intervals import format_rate, wilson_interval

# FOLDED benchmarks.gallery.report_tally: What episodes amount to: successes, errors, the interval of the rate, and how many reached each stage.


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What episodes amount to.

    Attributes:
        task: Task name; empty for all tasks together.
        n: Episodes.
        successes: Those that succeeded.
        errors: Those that broke; they count as not successful.
        low: Lower end of Wilson's 95 % interval of the rate.
        high: Upper end.
        stages: Stage names from 0, "none"; empty for all tasks together.
        reached: Episodes that reached at least each of them.
        missing: Episodes that were asked for and are not there.
    """

    task: str
    n: int
    successes: int
    errors: int
    low: float
    high: float
    stages: tuple[str, ...]
    reached: tuple[int, ...]
    missing: int

    @classmethod
    def of(
        cls,
        episodes: Sequence[ReportEpisode],
        *,
        task: str = "",
        stages: tuple[str, ...] = (),
        asked: int | None = None,
    ) -> Self:
        """Of episodes of one task with its stages, or of several tasks without; `asked` is None if nobody knows."""
        successes = sum(episode.success for episode in episodes)
        low, high = wilson_interval(successes, len(episodes))
        return cls(
            task=task,
            n=len(episodes),
            successes=successes,
            errors=sum(episode.outcome is Outcome.ERROR for episode in episodes),
            low=low,
            high=high,
            stages=stages,
            reached=tuple(sum(episode.stage >= stage for episode in episodes) for stage in range(len(stages))),
            missing=max(0, (asked or 0) - len(episodes)),
        )

    def in_words(self) -> str:
        """The rate with its interval, and how many episodes are missing."""
        missing = f", {self.missing} of {self.n + self.missing} episodes missing" if self.missing else ""
        return f"{self.task or 'all tasks'}: {format_rate(self.successes, self.n)}{missing}"


MediaOf = Callable[[int, ReportEpisode], Media]


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
    def tallies(self) -> tuple[Tally, ...]:
        """Every run's tasks, and all of them together where there are several."""
        return tuple(tally for run in self.runs for tally in (*_tasks(run), *_total(run)))

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
            "tasks": [asdict(tally) for tally in _tasks(run)],
            "total": next((asdict(tally) for tally in _total(run)), None),
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


def _tasks(run: ReportRun) -> tuple[Tally, ...]:
    return tuple(
        Tally.of([e for e in run.episodes if e.task == task], task=task, stages=spec.stages, asked=run.asked)
        for task, spec in run.specs.items()
    )


def _total(run: ReportRun) -> tuple[Tally, ...]:
    asked = None if run.asked is None else run.asked * len(run.specs)
    return (Tally.of(run.episodes, asked=asked),) if len(run.specs) > 1 else ()
