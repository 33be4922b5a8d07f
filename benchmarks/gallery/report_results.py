"""Reads a results folder for the gallery."""

from pathlib import Path

from ambidex.benchmarks.episode_count import EpisodeCount, episodes_per_task
from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.episode_states import states_path
from ambidex.benchmarks.gallery.report_command import CommandPerEpisode
from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.results_folder import read_rows, video_path
from ambidex.benchmarks.running.benchmark_info import BENCHMARK_JSON, BenchmarkInfo
from ambidex.benchmarks.stored_summary import StoredSummary
from ambidex.recorders.dataset.layout import VIDEOS

SHORT = 12  # of a fingerprint, enough to tell two apart [characters]


def is_results(folder: Path) -> bool:
    """Whether run-benchmark wrote this folder."""
    return (folder / BENCHMARK_JSON).is_file()


def read_results(folder: Path) -> ReportRun:
    """The run in a results folder, finished or not.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    info, summary = BenchmarkInfo.read(folder), StoredSummary.read(folder)
    rows = read_rows(folder)  # after the summary: a run that ends now writes a longer one after its rows
    each = episodes_per_task(info)
    count = EpisodeCount(
        folder=folder,
        there=len(rows),
        wanted=None if each is None else each * len(info.env_specs),
        summed=None if summary is None else summary.episodes,
    )
    command = CommandPerEpisode(info.command)
    order = {task: i for i, task in enumerate(info.env_specs)}
    rows.sort(key=lambda row: (order.get(row.task, len(order)), row.seed))
    return ReportRun(
        folder=folder,
        label=" ".join(filter(None, (info.policy, info.execution))),
        facts=(*_facts(info), ("episodes", count.in_words())),
        warning=info.warning,
        shortfall=count.warning,
        asked=each,
        specs=info.env_specs,
        episodes=tuple(_episode(folder, row, command) for row in rows if row.task in order),
    )


def _facts(info: BenchmarkInfo) -> tuple[tuple[str, str], ...]:
    checkpoint = info.checkpoint
    return (
        ("policy", info.policy),
        *((("execution", info.execution),) if info.execution else ()),
        *((("checkpoint", f"{checkpoint.path} ({checkpoint.sha256[:SHORT]})"),) if checkpoint else ()),
        ("versions", ", ".join(f"{package} {version}" for package, version in info.versions.items())),
    )


def _episode(folder: Path, row: EpisodeRow, command: CommandPerEpisode) -> ReportEpisode:
    states = states_path(folder, row.task, row.seed)
    return ReportEpisode(
        task=row.task,
        seed=row.seed,
        outcome=row.outcome,
        stage=row.stage,
        reason=row.error or row.reason,
        checks=row.checks,
        facts=(
            ("steps", str(row.steps)),
            ("initial state", row.initial_state_sha256[:SHORT]),
            ("took", f"{row.wall_s:.1f} s"),
        ),
        command=command.benchmark(row.task, row.seed),
        videos=folder / VIDEOS,
        video_name=str(video_path(folder, row).relative_to(folder / VIDEOS)),
        video=video_path(folder, row),
        states=states if states.is_file() else None,
        codes=row.codes,
        lost=states if row.began and not states.is_file() else None,
    )
