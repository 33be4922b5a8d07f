"""Results as JSON, with what leaderboards ask for: counts, seeds, protocol, checkpoint, versions and a digest."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import msgspec

from ambidex.benchmarks.evaluation.protocol import protocol_deviations
from ambidex.benchmarks.export.entries import SUITE, TASK, Entry, Line, lines, suite_of
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import MEASURED, ROBOT_ONLY, EpisodeRow
from ambidex.codec import to_json
from ambidex.intervals import tasks_interval

FORMAT_VERSION = 1
LIBERO = ("libero_spatial", "libero_object", "libero_goal", "libero_10")


def leaderboard(entries: Sequence[Entry]) -> dict[str, Any]:
    """The content of the file."""
    return {"format_version": FORMAT_VERSION, "entries": [_entry(entry) for entry in entries]}


def rows_sha256(rows: Sequence[EpisodeRow]) -> str:
    """SHA-256 of rows by task and seed without times: a line of JSON each, keys sorted, no spaces, UTF-8.

    Errors are without their tracebacks, which have paths of the machine.
    """
    digest = sha256()
    for row in sorted(rows, key=lambda row: row.key):
        left_out = {
            *MEASURED,
            *(name for name in (*ROBOT_ONLY, "perturbed", "first_request", "behaviour") if not getattr(row, name)),
        }  # as digests were before these fields
        values = {name: value for name, value in to_json(row).items() if name not in left_out}
        values["error"] = row.reason if row.error else ""
        digest.update(msgspec.json.encode(values, order="deterministic") + b"\n")
    return digest.hexdigest()


def libero_mean(entry: Entry) -> float | None:
    """The mean rate of LIBERO's four suites, if all their tasks were run by a protocol without deviations."""
    suites = {line.name: line for line in lines([entry], SUITE)}
    if any(name not in suites or len(suites[name].tasks) < 10 for name in LIBERO):
        return None
    wanted = [folder for folder in entry.folders if {suite_of(task) for task in folder.info.env_specs} & set(LIBERO)]
    if not all(_is_standard(folder) and not folder.warning for folder in wanted):
        return None
    rates = [entry.tally(suites[name].tasks).rate for name in LIBERO]
    return sum(rate for rate in rates if rate is not None) / len(LIBERO)


def _is_standard(folder: ResultsFolder) -> bool:
    return bool(_protocol(folder)) and not _deviations(folder)


def _protocol(folder: ResultsFolder) -> str:
    config = folder.config
    return (config.protocol or "") if config else folder.info.protocol


def _deviations(folder: ResultsFolder) -> list[str]:
    config = folder.config
    return protocol_deviations(config, tuple(folder.info.env_specs)) if config else []


def _entry(entry: Entry) -> dict[str, Any]:
    tallies = {line: entry.tally(line.tasks) for line in lines([entry], TASK)}
    return {
        "name": entry.name,
        "overall": libero_mean(entry),
        "tasks": {line.name: asdict(tally) for line, tally in tallies.items() if line.kind == TASK},
        "suites": {
            line.name: asdict(tally) | _between_tasks(entry, line)
            for line, tally in tallies.items()
            if line.kind == SUITE
        },
        "episodes": len(entry.rows),
        "rows_sha256": rows_sha256(entry.rows),
        "runs": [_run(folder) for folder in entry.folders],
    }


def _between_tasks(entry: Entry, line: Line) -> dict[str, Any]:
    counts = [(tally.successes, tally.n) for tally in (entry.tally((task,)) for task in line.tasks)]
    return {"tasks_interval": tasks_interval(counts)}


def _run(folder: ResultsFolder) -> dict[str, Any]:
    info = folder.info
    kept = ("policy", "execution", "command", "checkpoint", "serving", "remote", "source", "versions", "machine")
    specs = info.env_specs
    return {
        "folder": folder.path.name,
        **{name: to_json(getattr(info, name)) for name in kept},
        "protocol": _protocol(folder),
        "protocol_deviations": _deviations(folder),
        "success": sorted({spec.success for spec in specs.values()}),
        "perturb": {task: list(spec.perturb) for task, spec in specs.items() if spec.perturb},
        "horizons": {task: spec.horizon for task, spec in specs.items()},
        "seeds": {task: [row.seed for row in folder.rows if row.task == task] for task in specs},
        "model_sha256": {row.task: row.model_sha256 for row in folder.rows if row.model_sha256},
        "complete": not folder.warning,
        "episodes": len(folder.rows),
        "rows_sha256": rows_sha256(folder.rows),
    }
