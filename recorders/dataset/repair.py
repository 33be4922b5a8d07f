"""What to do about a damaged episode file."""

import shlex
from pathlib import Path

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo

RECORD = "record-episodes"
LEVELS = 2  # a file lies in its dataset's folder, or in failures/ or parts/ there


def remedy(path: Path) -> str:
    """What to do about it, with the command that records it again if the file lies in a dataset.

    Args:
        path: An episode file, or FILE/demo_I for one episode of a LIBERO file.
    """
    file = path.parent if path.parent.is_file() else path
    command = again(file)
    if not command:
        return "Restore it from a copy, or record the episode again."
    return f"Restore {file.name} from a copy, or delete it, and this brings back what it held: {command}"


def again(file: Path) -> str:
    """The command that records or renders what is missing of the dataset a file belongs to; empty if there is none."""
    folder = next((folder for folder in file.parents[:LEVELS] if (folder / DATASET_JSON).is_file()), None)
    if folder is None:
        return ""
    try:
        command = DatasetInfo.read(folder).command
    except DatasetError:  # the episode is what is to be spoken of
        return ""
    where = shlex.join(["--output-dir", str(folder)])
    return f"{RECORD} --resume {where}" if command.split()[:1] == [RECORD] else f"{command} --resume {where}"
