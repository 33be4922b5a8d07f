"""Reads results folders and datasets for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ambidex.benchmarks.gallery.model import GalleryEpisode, GalleryRun
from ambidex.benchmarks.gallery.results import read_results, results_episode, single_command, versions_text
from ambidex.benchmarks.gallery.robustness import read_robustness
from ambidex.benchmarks.results.folder import ROBUSTNESS_JSON, ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.robustness.folder import CLEAN
from ambidex.benchmarks.take_over.folder import TakeOverInfo, is_take_over_folder, step_results
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE, VideoStyle
from ambidex.envs.registry import SUITES
from ambidex.envs.types import Outcome
from ambidex.errors import AmbidexError, UsageError
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.dataset import Dataset, is_dataset
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.dataset.layout import VIDEOS, task_folder
from ambidex.recorders.recording.config import RecordConfig
from ambidex.text import first_few

RECORD = "record-episodes"
SHOWN = 5  # folders that a message suggests


def read_runs(paths: Sequence[Path], style: VideoStyle) -> list[GalleryRun]:
    """Read results folders or datasets, or one robustness benchmark as two runs, with their videos in a style.

    Raises:
        UsageError: A folder is neither, or the style cannot be rendered: an unknown camera or quality, an image size
            out of range.
        DatasetError: A folder is damaged.
    """
    alone = len(paths) == 1 and (paths[0] / ROBUSTNESS_JSON).is_file()
    runs = read_robustness(paths[0]) if alone else [read_run(path) for path in paths]
    if style != DEFAULT_STYLE:
        from ambidex.recorders.dataset.environment import stored_environment  # imports the simulator

        simulated = [run for run in runs if _is_simulated(run)]
        specs = {spec.task: (spec, run.folder) for run in simulated for spec in run.specs.values()}
        for spec, folder in specs.values():
            stored_environment(style.spec(spec), folder).close()
    return [run if ResultsFolder(run.folder).of_robot else run.in_style(style) for run in runs]


def _is_simulated(run: GalleryRun) -> bool:
    """Whether there are simulation states; robots have none, nor datasets of another program, also when converted."""
    if ResultsFolder(run.folder).of_robot:
        return False
    if not is_dataset(run.folder):
        return True
    return all(stored.state_size for stored in islice(Dataset(run.folder), 1))


def read_run(path: Path) -> GalleryRun:
    """Read a results folder or a dataset; raises the errors of `read_runs`."""
    results = ResultsFolder(path)
    if results.exists:
        return read_results(results)
    if is_take_over_folder(path):
        return read_take_overs(path)
    if has_datasets(path):
        return read_dataset(path)
    if (path / ROBUSTNESS_JSON).is_file():
        problem = f"{path} is the folder of a robustness benchmark, which is not compared with another folder."
        raise UsageError(
            problem, f"Give it alone, or one of the results folders in it, e.g. {path / CLEAN}.", path=path
        )
    problem = (
        "does not exist"
        if not path.exists()
        else "is a file"
        if path.is_file()
        else "has neither results nor a dataset"
    )
    raise UsageError(
        f"{path} {problem}. Expected a results folder of run-benchmark, with {BENCHMARK_JSON}, or a dataset of "
        f"record-episodes, with {DATASET_JSON}.",
        _suggestion(path if path.is_dir() else path.parent),
        path=path,
    )


def _suggestion(folder: Path) -> str:
    children = sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
    near = [str(child) for child in (folder, *children) if ResultsFolder(child).exists or has_datasets(child)]
    return f"Folders near it: {first_few(near, limit=SHOWN, separator=', ')}." if near else ""


def read_take_overs(folder: Path) -> GalleryRun:
    """Read a folder of take-overs: of each failure the take-over at its last recoverable step, or else at step 0."""
    steps, info = step_results(folder), TakeOverInfo.read(folder)
    taken_over: dict[EpisodeKey, list[tuple[int, EpisodeRow]]] = {}
    for step, results in steps.items():
        for row in results.rows:
            taken_over.setdefault(row.key, []).append((step, row))
    return GalleryRun(
        folder=folder,
        label=f"{info.policy} taking over",
        facts=(("failures of", info.source), ("taken over every", f"{info.every} steps"), ("command", info.command)),
        specs={task: spec for results in steps.values() for task, spec in results.info.env_specs.items()},
        episodes=tuple(_take_over_episode(steps, rows) for _, rows in sorted(taken_over.items())),
        incomplete=next((results.warning for results in steps.values() if results.warning), ""),
    )


def _take_over_episode(steps: Mapping[int, ResultsFolder], rows: Sequence[tuple[int, EpisodeRow]]) -> GalleryEpisode:
    recovered = [(step, row) for step, row in rows if row.success]
    step, row = recovered[-1] if recovered else rows[0]
    episode = results_episode(steps[step], row)
    facts = (
        ("taken over at step", str(step)),
        ("last recoverable step", str(step) if recovered else "never"),
        ("recovered from steps", ", ".join(str(each) for each, _ in recovered) or "none"),
        ("tried at steps", f"{rows[0][0]} to {rows[-1][0]}"),
    )
    return replace(episode, facts=(*facts, *episode.facts))


def has_datasets(folder: Path) -> bool:
    """Whether this is a dataset folder, or a folder with one dataset for each task of a suite."""
    return bool(_datasets(folder))


def read_dataset(folder: Path) -> GalleryRun:
    """Read all attempts of a dataset, or of the datasets of a suite."""
    datasets = [Dataset(path) for path in _datasets(folder)]
    info = datasets[0].info
    return GalleryRun(
        folder=folder,
        label=folder.resolve().name,
        facts=(("recorded with", info.command or "another program"), ("versions", versions_text(info.versions))),
        specs={dataset.spec.task: dataset.spec for dataset in datasets},
        episodes=tuple(episode for dataset in datasets for episode in _dataset_episodes(dataset)),
    )


def _datasets(folder: Path) -> list[Path]:
    """The folder itself, or the folders in it that are named after the tasks of a suite."""
    if is_dataset(folder):
        return [folder]
    folders = dict.fromkeys(folder / task_folder(task) for tasks in SUITES.values() for task in tasks)
    return [path for path in folders if (path / DATASET_JSON).is_file()]


def _dataset_episodes(dataset: Dataset) -> list[GalleryEpisode]:
    files = DatasetFiles(dataset.directory, dataset.format, video="all")
    try:
        config = dataset.info.settings(RECORD, RecordConfig)
    except AmbidexError:  # flags that this version does not understand
        config = None
    return [_dataset_episode(dataset, files, attempt, config) for attempt in _one_for_each_seed(dataset.attempts)]


def _one_for_each_seed(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The first look of each attempt, by seed; of take-overs of one failure the last successful one, or the first."""
    found: dict[int, Attempt] = {}
    for attempt in attempts:
        if attempt.seed not in found or (
            attempt.taken_over and attempt.outcome is Outcome.SUCCESS and not attempt.look
        ):
            found[attempt.seed] = attempt
    return [found[seed] for seed in sorted(found)]


def _dataset_episode(
    dataset: Dataset, files: DatasetFiles, attempt: Attempt, config: RecordConfig | None
) -> GalleryEpisode:
    spec, folder = dataset.spec, dataset.directory
    videos = folder / VIDEOS if folder.is_dir() else folder.parent / VIDEOS / folder.stem
    place, episode = files.planned(attempt), files.episode(attempt)
    name = place.video.name if place is not None and place.video is not None else f"seed_{attempt.seed}_error.mp4"
    # Videos of the recorder have its cameras and size. Those that are made later have a folder of their own.
    recorded, made = videos / name, videos / DEFAULT_STYLE.folder(spec) / name
    command, once = dataset.info.command, {"num_episodes": 1, "max_attempts": 1, "keep_failures": True}
    if config is not None:
        command = single_command(RECORD, config, (spec.task, attempt.seed), "data/", **once)
    file = (("file", episode.name),) if attempt.episode is not None and episode is not None else ()
    failed = attempt.taken_over
    start = (("taken over at step", str(failed.step)),) if failed is not None else ()
    return GalleryEpisode(
        task=spec.task,
        seed=attempt.seed,
        outcome=attempt.outcome,
        stage=attempt.stage,
        steps=attempt.steps,
        reason=attempt.reason,
        checks={},  # attempts.jsonl does not have them one by one; the reason names those that failed
        facts=(*file, *start, ("steps", str(attempt.steps)), ("took", f"{attempt.wall_s:.1f} s")),
        command=command,
        videos=videos,
        video_name=name,
        video=recorded if recorded.is_file() else made,
        states=episode,
    )
