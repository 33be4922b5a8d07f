"""Finds out what a folder holds, and reads it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.gallery.runs import ReportEpisode, ReportRun
from ambidex.benchmarks.gallery.server.config import check_look, in_look
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.envs.registry import SUITES
from ambidex.errors import AmbidexError, UsageError
from ambidex.flags import format_command, parse_command
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.layout import VIDEOS, task_folder
from ambidex.recorders.recording.config import RecordConfig

SHOWN = 5


def read_runs(paths: Sequence[Path], look: VideoStyle) -> list[ReportRun]:
    """What results or dataset folders hold, with their videos in a look.

    Raises:
        UsageError: A folder is neither, or the look is impossible: an unknown camera or quality, an image size out of
            range.
        DatasetError: A folder is damaged.
    """
    runs = [read_run(path) for path in paths]
    if look != VideoStyle():
        for spec, folder in {spec.task: (spec, run.folder) for run in runs for spec in run.specs.values()}.values():
            check_look(spec, look, folder)
    return [in_look(run, look) for run in runs]


def read_run(path: Path) -> ReportRun:
    """What a results or dataset folder holds.

    Raises:
        UsageError: It is neither.
        DatasetError: It is damaged.
    """
    if is_results(path):
        return read_results(ResultsFolder(path))
    if is_dataset(path):
        return read_dataset(path)
    raise UsageError(
        f"{path} {_trouble(path)}. Expected a results folder, which run-benchmark wrote, or a dataset folder, which "
        f"record-episodes wrote.{_suggestions(path)}"
    )


def _trouble(path: Path) -> str:
    if not path.exists():
        return "does not exist"
    if not path.is_dir():
        return "is a file"
    return "is neither: it has no benchmark.json and no dataset.json"


def _suggestions(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return ""
    candidates = [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]
    near = [candidate for candidate in candidates if is_results(candidate) or is_dataset(candidate)]
    if not near:
        return ""
    more = f" and {len(near) - SHOWN} more" if len(near) > SHOWN else ""
    return f" What can be watched near it: {', '.join(map(str, near[:SHOWN]))}{more}."


# FOLDED benchmarks.gallery.report_command: The command that runs one episode of a stored run again.

BENCHMARK, RECORD = "run-benchmark", "record-episodes"


class CommandPerEpisode:
    """Narrows the command of a run to one of its episodes.

    A command of another version, which cannot be understood, is given as it stands: it runs all episodes.

    Args:
        text: The command of the whole run, as it was stored.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def benchmark(self, task: str, seed: int) -> str:
        """Of an episode that run-benchmark ran."""
        config = self._benchmark
        if config is None:
            return self._text
        folder = Path("results") / f"{config.policy}-{task.replace('/', '-')}-seed-{seed}"
        one = replace(config, task=task, suite=None, seed=seed, episodes=1, video="all", output_dir=folder)
        return _with_seed(format_command(BENCHMARK, one, brief=True), seed)

    def recording(self, task: str, seed: int) -> str:
        """Of an episode that record-episodes attempted."""
        config = self._recording
        if config is None:
            return self._text
        folder = Path("data") / f"{task.replace('/', '-')}-seed-{seed}"
        one = replace(config, task=task, seed=seed, num_episodes=1, max_attempts=1, output_dir=folder)
        return _with_seed(format_command(RECORD, replace(one, keep_failures=True, video="all"), brief=True), seed)

    @cached_property
    def _benchmark(self) -> BenchmarkConfig | None:
        try:
            return parse_command(BENCHMARK, self._text, BenchmarkConfig)
        except AmbidexError:
            return None

    @cached_property
    def _recording(self) -> RecordConfig | None:
        try:
            return parse_command(RECORD, self._text, RecordConfig)
        except AmbidexError:
            return None


def _with_seed(command: str, seed: int) -> str:
    """The command with its seed, even where that is the default."""
    return command if " --seed " in command else f"{command} --seed {seed}"


# FOLDED benchmarks.gallery.report_results: Reads a results folder for the gallery.

SHORT = 12  # of a fingerprint, enough to tell two apart [characters]


def is_results(folder: Path) -> bool:
    """Whether run-benchmark wrote this folder."""
    return ResultsFolder(folder).exists


def read_results(results: ResultsFolder) -> ReportRun:
    """The run in a results folder, finished or not.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    info, completeness = results.info, results.completeness
    command = CommandPerEpisode(info.command)
    order = {task: i for i, task in enumerate(info.env_specs)}
    rows = sorted((row for row in results.rows if row.task in order), key=lambda row: (order[row.task], row.seed))
    return ReportRun(
        folder=results.path,
        label=" ".join(filter(None, (info.policy, info.execution))),
        facts=(*_results_facts(info), ("episodes", str(completeness))),
        warning=info.warning,
        shortfall=completeness.warning,
        asked=results.episodes_per_task,
        specs=info.env_specs,
        episodes=tuple(_results_episode(results, row, command) for row in rows),
    )


def _results_facts(info: BenchmarkInfo) -> tuple[tuple[str, str], ...]:
    checkpoint = info.checkpoint
    return (
        ("policy", info.policy),
        *((("execution", info.execution),) if info.execution else ()),
        *((("checkpoint", f"{checkpoint.path} ({checkpoint.sha256[:SHORT]})"),) if checkpoint else ()),
        ("versions", ", ".join(f"{package} {version}" for package, version in info.versions.items())),
    )


def _results_episode(results: ResultsFolder, row: EpisodeRow, command: CommandPerEpisode) -> ReportEpisode:
    states, video, videos = results.states_path(row.task, row.seed), results.video_path(row), results.path / VIDEOS
    return ReportEpisode(
        task=row.task,
        seed=row.seed,
        outcome=row.outcome,
        stage=row.stage,
        steps=row.steps,
        reason=row.error or row.reason,
        checks=row.checks,
        facts=(
            ("steps", str(row.steps)),
            ("initial state", row.initial_state_sha256[:SHORT]),
            ("took", f"{row.wall_s:.1f} s"),
        ),
        command=command.benchmark(row.task, row.seed),
        videos=videos,
        video_name=str(video.relative_to(videos)),
        video=video,
        states=states if states.is_file() else None,
        codes=row.codes,
        lost=states if row.has_states and not states.is_file() else None,
    )


# FOLDED benchmarks.gallery.report_dataset: Reads a dataset folder for the gallery.


def is_dataset(folder: Path) -> bool:
    """Whether record-episodes or render-episodes wrote this folder, or the folder of a suite."""
    return bool(_datasets(folder))


def read_dataset(folder: Path) -> ReportRun:
    """All attempts of a dataset, or of the datasets of a suite.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    datasets = [Dataset(path) for path in _datasets(folder)]
    return ReportRun(
        folder=folder,
        label=folder.resolve().name,
        facts=_dataset_facts(datasets[0].info),
        specs={dataset.spec.task: dataset.spec for dataset in datasets},
        episodes=tuple(episode for dataset in datasets for episode in _episodes(dataset)),
    )


def _datasets(folder: Path) -> list[Path]:
    """The folder itself, or those of the tasks in it: a suite is recorded into one folder per task, named after it."""
    if (folder / DATASET_JSON).is_file():
        return [folder]
    folders = dict.fromkeys(folder / task_folder(task) for tasks in SUITES.values() for task in tasks)
    return [path for path in folders if (path / DATASET_JSON).is_file()]


def _dataset_facts(info: DatasetInfo) -> tuple[tuple[str, str], ...]:
    versions = ", ".join(f"{package} {version}" for package, version in info.versions.items())
    return (("recorded with", info.command), ("versions", versions))


def _episodes(dataset: Dataset) -> list[ReportEpisode]:
    command = CommandPerEpisode(dataset.info.command)
    files = DatasetFiles(dataset.directory, dataset.format, video="all")
    return [
        _dataset_episode(dataset, files, attempt, command) for attempt in sorted(dataset.attempts, key=lambda a: a.seed)
    ]


def _dataset_episode(
    dataset: Dataset, files: DatasetFiles, attempt: Attempt, command: CommandPerEpisode
) -> ReportEpisode:
    spec, videos = dataset.spec, dataset.directory / VIDEOS
    place, episode = files.planned(attempt), files.episode(attempt)
    name = place.video.name if place is not None and place.video is not None else f"seed_{attempt.seed}_error.mp4"
    # The recorder's own videos show what it was told to. Whatever is made later has a folder of its own.
    recorded, usual = videos / name, videos / VideoStyle().folder(spec) / name
    return ReportEpisode(
        task=spec.task,
        seed=attempt.seed,
        outcome=attempt.outcome,
        stage=attempt.stage,
        steps=attempt.steps,
        reason=attempt.reason,
        checks={},  # attempts.jsonl does not keep them one by one; the reason names those that failed
        facts=_facts_of(attempt, episode),
        command=command.recording(spec.task, attempt.seed),
        videos=videos,
        video_name=name,
        video=recorded if recorded.is_file() else usual,
        states=episode,
    )


def _facts_of(attempt: Attempt, episode: Path | None) -> tuple[tuple[str, str], ...]:
    file = (("file", episode.name),) if attempt.episode is not None and episode is not None else ()
    return (*file, ("steps", str(attempt.steps)), ("took", f"{attempt.wall_s:.1f} s"))
