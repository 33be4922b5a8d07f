"""Reads results folders and datasets for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ambidex.benchmarks.gallery.model import GalleryEpisode, GalleryRun
from ambidex.benchmarks.gallery.poster import data_url, jpeg
from ambidex.benchmarks.results.folder import FIRST_REQUEST, ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow, solved_at_start_note
from ambidex.benchmarks.take_over.folder import TakeOverInfo, is_take_over_folder, step_results
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE, VideoStyle
from ambidex.envs.registry import SUITES
from ambidex.envs.types import Outcome
from ambidex.errors import AmbidexError, UsageError
from ambidex.flags import format_command
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.dataset import Dataset, is_dataset
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.dataset.layout import VIDEOS, task_folder
from ambidex.recorders.recording.config import RecordConfig
from ambidex.text import first_few

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

BENCHMARK, RECORD = "run-benchmark", "record-episodes"
SHOWN = 5  # folders that a message suggests
SHORT = 12  # of a fingerprint, enough to tell two apart [characters]


def read_runs(paths: Sequence[Path], style: VideoStyle) -> list[GalleryRun]:
    """Read results folders or datasets, with their videos in a style.

    Raises:
        UsageError: A folder is neither, or the style cannot be rendered: an unknown camera or quality, an image size
            out of range.
        DatasetError: A folder is damaged.
    """
    runs = [read_run(path) for path in paths]
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


def read_results(results: ResultsFolder) -> GalleryRun:
    """Read a results folder, finished or not."""
    info, incomplete = results.info, results.warning
    order = {task: i for i, task in enumerate(info.env_specs)}
    rows = sorted((row for row in results.rows if row.task in order), key=lambda row: (order[row.task], row.seed))
    return GalleryRun(
        folder=results.path,
        label=" ".join(filter(None, (info.policy, info.execution))),
        facts=(*_results_facts(info), *_first_images(results), ("episodes", results.completeness)),
        warning=" ".join(filter(None, (info.warning, solved_at_start_note(rows)))),
        incomplete=incomplete,
        requested=results.requested_each,
        specs=info.env_specs,
        episodes=tuple(_results_episode(results, row) for row in rows),
    )


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
    episode = _results_episode(steps[step], row)
    facts = (
        ("taken over at step", str(step)),
        ("last recoverable step", str(step) if recovered else "never"),
        ("recovered from steps", ", ".join(str(each) for each, _ in recovered) or "none"),
        ("tried at steps", f"{rows[0][0]} to {rows[-1][0]}"),
    )
    return replace(episode, facts=(*facts, *episode.facts))


def _single_command(
    command: str, config: "DataclassInstance", episode: tuple[str, int], folder: str, **other: object
) -> str:
    """The command that runs one episode again, into a folder whose name starts with `folder`."""
    task, seed = episode
    output_dir = Path(f"{folder}{task.replace('/', '-')}-seed-{seed}")
    one = replace(config, task=task, seed=seed, video="all", output_dir=output_dir, **other)
    text = format_command(command, one, brief=True)
    return text if " --seed " in text else f"{text} --seed {seed}"  # even if the seed is the default


def _results_facts(info: BenchmarkInfo) -> tuple[tuple[str, str], ...]:
    checkpoint = info.checkpoint
    return (
        ("policy", info.policy),
        *((("server", str(info.config.get("url"))), ("metadata", str(info.remote.metadata))) if info.remote else ()),
        *(
            (("robot", f"{info.robot.module}:{info.robot.qualified_name}"), ("verdicts", info.verdicts))
            if info.robot
            else ()
        ),
        *((("execution", info.execution),) if info.execution else ()),
        *((("checkpoint", f"{checkpoint.path} ({checkpoint.sha256[:SHORT]})"),) if checkpoint else ()),
        ("versions", _versions(info.versions)),
    )


def _first_images(results: ResultsFolder) -> tuple[tuple[str, str], ...]:
    """What the first request to the server of a policy showed of each camera."""
    files = sorted((results.path / FIRST_REQUEST).glob("*.png"))
    return tuple((f"first image of {file.stem}, as sent", _image(file)) for file in files)


def _image(file: Path) -> str:
    """An image as a data URL, or that it cannot be read."""
    try:
        with Image.open(file) as image:
            return data_url(jpeg(np.asarray(image.convert("RGB"))))
    except OSError as error:
        return f"{file} cannot be read: {error}"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def _results_episode(results: ResultsFolder, row: EpisodeRow) -> GalleryEpisode:
    states, video, videos = results.states_path(row.task, row.seed), results.video_path(row), results.path / VIDEOS
    command, config = results.info.command, results.config
    if config and not results.info.take_over:
        command = _single_command(BENCHMARK, config, row.key, f"results/{config.policy}-", suite=None, episodes=1)
    return GalleryEpisode(
        task=row.task,
        seed=row.seed,
        outcome=row.outcome,
        stage=row.stage,
        steps=row.steps,
        reason=row.reason or row.error,
        checks=row.checks,
        facts=(
            ("steps", str(row.steps)),
            *((("initial state", row.initial_state_sha256[:SHORT]),) if row.initial_state_sha256 else ()),
            ("took", f"{row.wall_s:.1f} s"),
            *_behaviour_facts(row),
            *_robot_facts(row),
        ),
        command=command,
        videos=videos,
        video_name=str(video.relative_to(videos)),
        video=video,
        states=states if states.is_file() else None,
        codes=row.codes,
        missing_states=states if row.has_states and not states.is_file() else None,
    )


def _behaviour_facts(row: EpisodeRow) -> list[tuple[str, str]]:
    """What the agent did, without the stages in which it spent no step."""
    numbers = row.behaviour.numbers if row.behaviour else {}
    return [(name, f"{number:.4g}") for name, number in numbers.items() if number or "stage" not in name]


def _robot_facts(row: EpisodeRow) -> tuple[tuple[str, str], ...]:
    """What is known of a rollout on a robot only."""
    facts = {
        "unseen": ", ".join(row.unseen),
        "instruction": row.instruction,
        "note": row.note,
        "late commands": str(row.late_steps or ""),
    }
    return tuple((name, value) for name, value in facts.items() if value)


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
        facts=(("recorded with", info.command or "another program"), ("versions", _versions(info.versions))),
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
        command = _single_command(RECORD, config, (spec.task, attempt.seed), "data/", **once)
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
