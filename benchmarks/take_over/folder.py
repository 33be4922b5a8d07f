"""The folder of take-overs: take_over.json, and an ordinary results folder for each step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import COMMAND
from ambidex.output_folder import FolderInfo

TAKE_OVER_JSON = "take_over.json"
STEP = "step_"


@dataclass(frozen=True, kw_only=True)
class TakeOverInfo(FolderInfo):
    """The content of take_over.json.

    Attributes:
        source: The results folder with the failures.
        failures_sha256: SHA-256 of their rows.
        policy: The policy that takes over.
        every: Control steps between take-overs.
        command: The command, as a person would type it.
        versions: Package -> version.
        config: Resolved flags of the command.
    """

    file_name = TAKE_OVER_JSON
    format_version = 1
    folder_kind = "a folder of take-overs"
    written_by = f"{COMMAND} --take-over"

    source: str
    failures_sha256: str
    policy: str
    every: int
    command: str
    versions: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)


def is_take_over_folder(path: Path) -> bool:
    """Whether `run-benchmark --take-over` wrote the folder."""
    return (path / TAKE_OVER_JSON).is_file()


def step_folder(directory: Path, step: int) -> Path:
    """The results folder of the take-overs at a step."""
    return directory / f"{STEP}{step:04d}"


def step_results(directory: Path) -> dict[int, ResultsFolder]:
    """Step -> results folder of the take-overs there, of all steps that have any, in order."""
    folders = map(ResultsFolder, directory.glob(f"{STEP}*"))
    found = {each.info.take_over.step: each for each in folders if each.exists and each.info.take_over}
    return dict(sorted(found.items()))
