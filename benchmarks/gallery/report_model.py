"""What the page's program is given: runs, tallies and episodes as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.benchmarks.gallery.report_media import Media
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.gallery.report_tally import Tally

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
