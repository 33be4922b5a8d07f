"""What the page shows: runs with their episodes and success counts. `PageModel.to_dict` is the JSON for its program."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ambidex.benchmarks.results.row import CodeRuns
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.robustness.folder import Cell
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE, VideoJob, VideoStyle
from ambidex.envs.perturbations.perturbation import Level
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.intervals import is_near_an_end
from ambidex.text import pluralize


@dataclass(frozen=True, kw_only=True)
class GalleryEpisode:
    """One episode, of a benchmark or of a dataset.

    Attributes:
        task: Task name.
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into the spec's stages.
        steps: Control steps taken.
        reason: Empty on success; otherwise which checks failed, or the error.
        checks: The task's conditions at the last step, by name; empty if they are not stored.
        facts: Further details, as name and value.
        command: Runs this episode again.
        videos: The folder of its run's videos.
        video_name: Path of its video within that folder, or within the folder of a video style in there.
        video: Its video, which may not exist.
        states: The file with its states, from which a video can be made; None if it does not exist.
        codes: The code behind each action; empty for policies without codes.
        event_step: The control step at which a perturbation `event` set in; None if none did, and for datasets.
        missing_states: The file in which its states should be but are not; None if they are, or were never stored.
        cell: Axis and level of a perturbed episode of a robustness benchmark; others are clean.
        spec: Spec of its environment; None for that of its run's task.
    """

    task: str
    seed: int
    outcome: Outcome
    stage: int
    steps: int
    reason: str
    checks: Mapping[str, bool]
    facts: tuple[tuple[str, str], ...]
    command: str
    videos: Path
    video_name: str
    video: Path
    states: Path | None
    codes: CodeRuns = ()
    event_step: int | None = None
    missing_states: Path | None = None
    cell: Cell = field(default_factory=Cell)
    spec: EnvSpec | None = None

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS

    @property
    def has_video(self) -> bool:
        return self.video.is_file()

    @property
    def can_be_watched(self) -> bool:
        """Its video exists, or can be made."""
        return self.has_video or self.states is not None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Counts of the episodes of one task of a run, or of all its tasks: then `task` and `stages` are empty.

    `missing` is the number of requested episodes that are not stored.
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
            "exact": tally.exact_interval if is_near_an_end(tally.successes, tally.n) else None,
            "stages": self.stages,
            "reached": [tally.n, *(stage.count for stage in tally.stages)][: len(self.stages)],
            "missing": self.missing,
        }

    def __str__(self) -> str:
        """The rate with its interval, and how many episodes are missing."""
        missing = f", {self.missing} of {self.tally.n + self.missing} episodes missing" if self.missing else ""
        return f"{self.task or 'all tasks'}: {self.tally}{missing}"


@dataclass(frozen=True, kw_only=True)
class CellCounts:
    """How many pairs of clean and perturbed episodes there are on one axis at one level.

    Attributes:
        axis: The axis.
        level: The level.
        pairs: All pairs that are compared.
        lost: Those in which only the clean episode succeeded.
        won: Those in which only the perturbed one did.
    """

    axis: str
    level: Level
    pairs: int
    lost: int
    won: int

    def __str__(self) -> str:
        return f"{self.axis}:{self.level}: {self.lost} lost and {self.won} won of {pluralize(self.pairs, 'pair')}"


@dataclass(frozen=True, kw_only=True)
class GalleryRun:
    """One results or dataset folder.

    Attributes:
        folder: The folder.
        label: Policy and execution, or the name of the dataset.
        facts: Details about the run as a whole, as name and value.
        specs: Task -> spec of its environment, in the order to show.
        episodes: By task and seed.
        warning: What a reader should know before trusting the rates; empty for nothing.
        incomplete: A warning that episodes are missing; empty if all are there.
        requested: Episodes of each task that were requested; None if that is unknown.
        cells: Of the perturbed episodes of a robustness benchmark, how many pairs each cell has; None for others. The
            two runs of such a benchmark have the episodes of pairs with different outcomes only, so no rates.
    """

    folder: Path
    label: str
    facts: tuple[tuple[str, str], ...]
    specs: Mapping[str, EnvSpec]
    episodes: tuple[GalleryEpisode, ...]
    warning: str = ""
    incomplete: str = ""
    requested: int | None = None
    cells: tuple[CellCounts, ...] | None = None

    @property
    def task_groups(self) -> list[Group]:
        """The counts of each task, in the order to show."""
        return [self._group(task, spec.stages) for task, spec in self.specs.items()]

    @property
    def total(self) -> Group | None:
        """The counts of all tasks together; None if there is only one."""
        return self._group() if len(self.specs) > 1 else None

    def _group(self, task: str = "", stages: tuple[str, ...] = ()) -> Group:
        episodes = [episode for episode in self.episodes if task in ("", episode.task)]
        requested = (self.requested or 0) * (1 if task else len(self.specs))
        tally = Tally.of(episodes, stages)
        return Group(task=task, stages=stages, tally=tally, missing=max(0, requested - len(episodes)))

    def in_style(self, style: VideoStyle) -> "GalleryRun":
        """The run with its videos in a style. All styles but the default one have a folder of their own."""
        if style == DEFAULT_STYLE:
            return self
        folders = {task: style.folder(spec) for task, spec in self.specs.items()}
        episodes = [replace(e, video=e.videos / folders[e.task] / e.video_name) for e in self.episodes]
        return replace(self, episodes=tuple(episodes))

    def video_job(self, episode: GalleryEpisode, style: VideoStyle) -> VideoJob | None:
        """The job that makes an episode's video; None if its states are not stored."""
        if episode.states is None:
            return None
        return VideoJob(
            spec=style.spec(episode.spec or self.specs[episode.task]),
            seed=episode.seed,
            outcome=episode.outcome,
            states=episode.states,
            video=episode.video,
            codes=episode.codes,
            event_step=episode.event_step,
        )


@dataclass(frozen=True, kw_only=True)
class Media:
    """Where the page finds the video of an episode.

    Attributes:
        kind: "embedded" in the page, "served" beside it, or "absent".
        address: Id of the element that holds an embedded video, or URL of a served one without its ending.
        ready: A served video exists; otherwise it is made on request.
        poster: URL of the image that is shown instead; empty for the server's, or for none.
        why: Why the video is absent.
    """

    kind: str
    address: str = ""
    ready: bool = False
    poster: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class PageModel:
    """Everything that the page shows.

    Attributes:
        runs: One run, or two to compare.
        media: Index of a run and an episode of it -> where its video is.
        notice: A notice for the top of the page, beside the warnings of the runs; empty for none.
    """

    runs: Sequence[GalleryRun]
    media: Callable[[int, GalleryEpisode], Media]
    notice: str = ""

    @property
    def labels(self) -> list[str]:
        """The runs' labels, with their folders if the labels alone are the same."""
        labels = [run.label for run in self.runs]
        if len(set(labels)) < len(labels):
            labels = [f"{run.label} ({run.folder})" for run in self.runs]
        return labels

    @property
    def title(self) -> str:
        """Title of the page."""
        tasks = list(dict.fromkeys(task for run in self.runs for task in run.specs))
        shown = ", ".join(tasks) if len(tasks) <= 3 else f"{len(tasks)} tasks"
        labels = " and ".join(self.labels)
        return labels if labels == shown else f"{labels} on {shown}"

    @property
    def summary(self) -> str:
        """The rates of all runs, or the counts of all cells, in one line."""
        if self._cells is not None:
            return "; ".join(map(str, self._cells))
        groups = [group for run in self.runs for group in (*run.task_groups, run.total) if group is not None]
        return "; ".join(map(str, groups))

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "source": " and ".join(dict.fromkeys(str(run.folder) for run in self.runs)),
            "notice": "\n".join(filter(None, (*self._warnings(), self.notice))),
            "short": any(run.incomplete for run in self.runs),
            "cells": self._cells and [asdict(cell) for cell in self._cells],
            "runs": [self._run(index) for index in range(len(self.runs))],
        }

    @property
    def _cells(self) -> tuple[CellCounts, ...] | None:
        return self.runs[-1].cells

    def _warnings(self) -> list[str]:
        warned = [(label, run.warning) for label, run in zip(self.labels, self.runs, strict=True) if run.warning]
        warnings = [f"{label}: {warning}" if len(self.runs) > 1 else warning for label, warning in warned]
        return [*(run.incomplete for run in self.runs if run.incomplete), *warnings]

    def _run(self, index: int) -> dict[str, object]:
        run, total = self.runs[index], self.runs[index].total
        return {
            "label": self.labels[index],
            "facts": [("folder", str(run.folder)), *run.facts],
            "tasks": [group.to_dict() for group in run.task_groups],
            "total": total and total.to_dict(),
            "episodes": [self._episode(index, episode) for episode in run.episodes],
        }

    def _episode(self, index: int, episode: GalleryEpisode) -> dict[str, object]:
        spec = self.runs[index].specs[episode.task]
        codes = {"codes": {"step_s": 1 / spec.control_hz, "runs": episode.codes}} if episode.codes else {}
        media = {name: value for name, value in asdict(self.media(index, episode)).items() if value}
        cell = {"axis": episode.cell.axis, "level": episode.cell.level} if episode.cell.level else {}
        return {
            "task": episode.task,
            "seed": episode.seed,
            **cell,
            "outcome": str(episode.outcome),
            "stage": episode.stage,
            "reason": episode.reason,
            "checks": list(episode.checks.items()),
            "facts": episode.facts,
            "command": episode.command,
            "media": media,
            **codes,
        }
