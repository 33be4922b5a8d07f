"""The defaults of `record-episodes`: those of the dataset to go on with, where no task is named."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ambidex.command_line import from_text
from ambidex.recorders.dataset_info import DATASET_JSON, DatasetInfo
from ambidex.recorders.record_config import RecordConfig


def defaults_for(words: Sequence[str]) -> RecordConfig | None:
    """What flags are that are not given; None for the defaults of the command.

    With --resume and without a task they are those with which the dataset in --output-dir was recorded. Where more
    episodes are wanted than then, there may be as many attempts as that takes.

    Raises:
        UsageError: The dataset was not made by record-episodes.
        DatasetError: Its dataset.json is damaged, or of another version.
    """
    known, _ = _parser().parse_known_args(words)
    folder = known.output_dir
    if not known.resume or known.task or known.bddl_file or folder is None or not (folder / DATASET_JSON).is_file():
        return None
    stored = from_text("record-episodes", DatasetInfo.read(folder).command, RecordConfig)
    return stored if known.num_episodes is None else replace(stored, max_attempts=None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--output-dir", "--output_dir", type=Path, nargs="?")
    parser.add_argument("--task", nargs="?")
    for name in ("bddl", "file"), ("num", "episodes"):
        parser.add_argument(f"--{'-'.join(name)}", f"--{'_'.join(name)}", nargs="?")
    return parser
