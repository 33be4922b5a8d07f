"""Reads a dataset folder for the gallery."""

from pathlib import Path

from ambidex.benchmarks.gallery.report_command import CommandPerEpisode
from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.look import Look
from ambidex.envs.registry import SUITES
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.layout import VIDEOS, task_folder


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
        facts=_facts(datasets[0].info),
        specs={dataset.spec.task: dataset.spec for dataset in datasets},
        episodes=tuple(episode for dataset in datasets for episode in _episodes(dataset)),
    )


def _datasets(folder: Path) -> list[Path]:
    """The folder itself, or those of the tasks in it: a suite is recorded into one folder per task, named after it."""
    if (folder / DATASET_JSON).is_file():
        return [folder]
    folders = dict.fromkeys(folder / task_folder(task) for tasks in SUITES.values() for task in tasks)
    return [path for path in folders if (path / DATASET_JSON).is_file()]


def _facts(info: DatasetInfo) -> tuple[tuple[str, str], ...]:
    versions = ", ".join(f"{package} {version}" for package, version in info.versions.items())
    return (("recorded with", info.command), ("versions", versions))


def _episodes(dataset: Dataset) -> list[ReportEpisode]:
    command, files = CommandPerEpisode(dataset.info.command), DatasetFiles(dataset.directory, dataset.format)
    return [_episode(dataset, files, attempt, command) for attempt in sorted(dataset.attempts, key=lambda a: a.seed)]


def _episode(dataset: Dataset, files: DatasetFiles, attempt: Attempt, command: CommandPerEpisode) -> ReportEpisode:
    spec, videos = dataset.spec, dataset.directory / VIDEOS
    place, episode = files.destination(attempt, keep_failures=True, video="all"), files.episode(attempt)
    name = place.video.name if place is not None and place.video is not None else f"seed_{attempt.seed}_error.mp4"
    # The recorder's own videos show what it was told to. Whatever is made later has a folder of its own.
    recorded, usual = videos / name, videos / Look().folder(spec) / name
    return ReportEpisode(
        task=spec.task,
        seed=attempt.seed,
        outcome=attempt.outcome,
        stage=attempt.stage,
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
