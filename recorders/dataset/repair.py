"""What to do about a damaged or missing episode file, for error messages."""

import shlex
from pathlib import Path

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.info import DatasetInfo, dataset_folder

RECORD, RENDER, CONVERT = "record-episodes", "render-episodes", "convert-dataset"


def repair_hint(path: Path) -> str:
    """A sentence: restore a damaged episode file, or FILE/demo_I, or move it away and record again."""
    file = path.parent if path.parent.is_file() else path
    command = rerecord_command(file)
    if not command:
        return "Restore it from a copy, or record the episode again."
    return f"Restore {file.name} from a copy, or move it away and record its episodes again: {command}"


def missing_hint(path: Path) -> str:
    """Sentences: restore missing episodes, of which one is at `path`, record them again, or say that they may be."""
    folder, command = dataset_folder(path), rerecord_command(path)
    again = f", or record them again: {command}" if command else ""
    accept = shlex.join(["verify-episodes", "--accept-missing", str(folder)])
    return f"Restore them from a copy{again}. If they were removed on purpose: {accept}"


def rerecord_command(file: Path) -> str:
    """The command that records or renders the missing episodes of a file's dataset; empty if the file has none."""
    folder = dataset_folder(file)
    if folder is None:
        return ""
    try:
        words = shlex.split(DatasetInfo.read(folder).command)
    except (DatasetError, ValueError):  # the message is about the episode
        return ""
    if words[:1] not in ([RECORD], [RENDER], [CONVERT]):
        return ""
    return shlex.join([*([RECORD] if words[0] == RECORD else words), "--resume", "--output-dir", str(folder)])
