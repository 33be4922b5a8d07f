"""Reads results folders for the page."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ambidex.benchmarks.gallery.model import GalleryEpisode, GalleryRun
from ambidex.benchmarks.gallery.poster import data_url, jpeg
from ambidex.benchmarks.results.folder import FIRST_REQUEST, ResultsFolder
from ambidex.benchmarks.results.info import COMMAND, BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow, solved_at_start_note
from ambidex.envs.perturbations.registry import as_file_name, event_step
from ambidex.flags import format_command
from ambidex.recorders.dataset.layout import VIDEOS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SHORT = 12  # of a fingerprint, enough to tell two apart [characters]


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
        episodes=tuple(results_episode(results, row) for row in rows),
    )


def _results_facts(info: BenchmarkInfo) -> tuple[tuple[str, str], ...]:
    checkpoint = info.checkpoint
    return (
        ("policy", info.policy),
        *((("shard", f"{info.shard.position}; merge-results merges them"),) if info.shard else ()),
        *((("server", str(info.config.get("url"))), ("metadata", str(info.remote.metadata))) if info.remote else ()),
        *(
            (("robot", f"{info.robot.module}:{info.robot.qualified_name}"), ("verdicts", info.verdicts))
            if info.robot
            else ()
        ),
        *((("execution", info.execution),) if info.execution else ()),
        *((("checkpoint", f"{checkpoint.path} ({checkpoint.sha256[:SHORT]})"),) if checkpoint else ()),
        ("versions", versions_text(info.versions)),
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


def versions_text(versions: Mapping[str, str]) -> str:
    """Packages with their versions."""
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def results_episode(results: ResultsFolder, row: EpisodeRow) -> GalleryEpisode:
    """The episode of a row."""
    states, video, videos = results.states_path(row.task, row.seed), results.video_path(row), results.path / VIDEOS
    command, config = results.info.command, results.config
    if config and not results.info.take_over:
        name = "-".join((config.policy, *map(as_file_name, config.perturb), ""))
        command = single_command(COMMAND, config, row.key, f"results/{name}", suite=None, episodes=1, shard=None)
    return GalleryEpisode(
        task=row.task,
        seed=row.seed,
        outcome=row.outcome,
        stage=row.stage,
        steps=row.steps,
        reason=row.reason or row.error,
        checks=row.checks,
        facts=(
            *_perturbed_facts(row),
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
        event_step=event_step(row.perturbed),
        missing_states=states if row.has_states and not states.is_file() else None,
    )


def _perturbed_facts(row: EpisodeRow) -> list[tuple[str, str]]:
    """Each axis of perturbation with its level, and what was drawn."""
    return [
        (
            f"{axis}:{level if isinstance(level := drawn['level'], str) else int(level)}",
            ", ".join(_drawn(name, value) for name, value in drawn.items() if name != "level"),
        )
        for axis, drawn in row.perturbed.items()
    ]


def _drawn(name: str, value: float | str) -> str:
    return f"{name} {value}" if isinstance(value, str) else f"{name} {value:.4g}"


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


def single_command(
    command: str, config: "DataclassInstance", episode: tuple[str, int], folder: str, **other: object
) -> str:
    """The command that runs one episode again, into a folder whose name starts with `folder`."""
    task, seed = episode
    output_dir = Path(f"{folder}{task.replace('/', '-')}-seed-{seed}")
    one = replace(config, task=task, seed=seed, video="all", output_dir=output_dir, **other)
    text = format_command(command, one, brief=True)
    return text if " --seed " in text else f"{text} --seed {seed}"  # even if the seed is the default
