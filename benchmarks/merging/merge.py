"""Merges results folders of shards; `merge` is what `merge-results` does, from Python."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ambidex.atomic_files import TEMPORARY, link_or_copy, replacing_folder, write_text
from ambidex.benchmarks.evaluation.config import NOT_STORED
from ambidex.benchmarks.evaluation.summary import BenchmarkSummary, Timings
from ambidex.benchmarks.gallery.report import write_report
from ambidex.benchmarks.merging.parts import Part, position_in_run, read_parts
from ambidex.benchmarks.results.folder import FIRST_REQUEST, ResultsFolder
from ambidex.benchmarks.results.info import COMMAND, BenchmarkInfo
from ambidex.benchmarks.results.row import RESULTS
from ambidex.benchmarks.videos.jobs import MissingVideo
from ambidex.benchmarks.videos.make import jobs_of
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock
from ambidex.recorders.dataset.environment import DEFINITION_COPY
from ambidex.recorders.dataset.layout import VIDEOS

NO_MARKER = ""  # a merge cannot be resumed, only begun again


def merge(paths: Sequence[Path], output_dir: Path) -> BenchmarkSummary:
    """Merge results folders of shards into the one that a single run of all episodes makes.

    Rows are in the order of a run with one worker. Timings are sums over the folders. States and videos are hard links
    to those of the folders where the file system has them, else copies; run-benchmark replaces such files and never
    changes them, so the folders stay as they are. If episodes are missing, the merged folder is an unfinished run,
    which `run-benchmark --resume` finishes.

    Args:
        paths: Results folders of disjoint parts of one run, finished or not.
        output_dir: The folder to write; missing or empty.

    Returns:
        The rows of all episodes; its `missing_videos` are those that were not made yet because a run was interrupted.

    Raises:
        UsageError: The folders are not of one run or have an episode in common, or `output_dir` is not empty.
        DatasetError: A folder is damaged, or the merged one cannot be written.
    """
    with exclusive_lock(output_dir):
        check_output_folder(output_dir, NO_MARKER, resume=False)
        parts = read_parts(paths)
        with replacing_folder(output_dir.resolve()) as folder:
            _write(parts, folder)
    with exclusive_lock(output_dir):  # again: the lock was in the folder that has been replaced
        return _summarize(ResultsFolder(output_dir), parts)


def _write(parts: Sequence[Part], folder: Path) -> None:
    position = position_in_run(parts[0].info)
    rows = sorted((row for part in parts for row in part.results.rows), key=lambda row: position(row.key))
    for part in parts:
        for file in _files(part.results):
            target = folder / file.relative_to(part.results.path)
            if not target.exists():  # each part has a copy of the definition, and a first request of its own
                link_or_copy(file, target)
    write_text(folder / RESULTS, "".join(f"{row.to_line()}\n" for row in rows))
    _info(parts[0]).write(folder)


def _files(results: ResultsFolder) -> Iterator[Path]:
    """The files that a merged folder takes as they are. Not states without a row: that episode is run again."""
    yield from (results.states_path(*row.key) for row in results.rows if row.has_states)
    for pattern in (f"{VIDEOS}/**/*", f"{FIRST_REQUEST}/*", DEFINITION_COPY):
        yield from (file for file in results.path.glob(pattern) if file.is_file() and TEMPORARY not in file.name)


def _info(part: Part) -> BenchmarkInfo:
    config = replace(part.config, shard=None)
    command = format_command(COMMAND, config, leave_out=NOT_STORED)
    return replace(part.info, command=command, config=flags_to_json(config, leave_out=NOT_STORED))


def _summarize(results: ResultsFolder, parts: Sequence[Part]) -> BenchmarkSummary:
    config = parts[0].config
    missing = _missing_videos(results, str(config.video))
    summary = BenchmarkSummary(
        directory=results.path,
        info=results.info,
        rows=tuple(results.rows),
        requested=results.requested or len(results.rows),
        suite=config.suite,
        timings=_timings(parts),
        worker_errors=(),
        resume_command=results.resume_command,
        missing_videos=missing,
    )
    results.write_summary(summary.to_dict())
    return replace(summary, report=write_report(results, which=str(config.video), missing=missing))


def _missing_videos(results: ResultsFolder, which: str) -> tuple[MissingVideo, ...]:
    reason = f"Its run was interrupted. Make it with: {results.resume_command}"
    jobs = jobs_of(results, which)
    return tuple(MissingVideo(task=job.spec.task, seed=job.seed, states=job.states, reason=reason) for job in jobs)


def _timings(parts: Sequence[Part]) -> Timings:
    found = [timings for part in parts if (timings := Timings.of_last_run(part.results))]
    return Timings(
        episodes=sum(timings.episodes for timings in found),
        wall_s=sum(timings.wall_s for timings in found),
        workers=max((timings.workers for timings in found), default=0),
    )
