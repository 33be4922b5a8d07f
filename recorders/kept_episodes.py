"""Can what a dataset keeps be opened? Looked at before a recording or a rendering goes on."""

from pathlib import Path

from ambidex.errors import DatasetError
from ambidex.recorders.dataset_format import DatasetFormat
from ambidex.recorders.destination import FAILURES

SHOWN = 5


def check_kept(directory: Path, layout: DatasetFormat) -> None:
    """Refuse to go on with a dataset that keeps damaged files: they would be counted as episodes.

    Each is opened, and its structure, attributes and sizes are looked at, which takes milliseconds. What its fields and
    pictures hold is read by `verify-episodes`. Nothing is deleted or moved: whether a file is lost is for its owner to
    say, and it may only be of another version.

    Args:
        directory: The dataset's folder.
        layout: Its format.

    Raises:
        DatasetError: Names the damaged files, and says what to do.
    """
    paths = [*layout.find(directory).values(), *sorted((directory / FAILURES).glob("episode_*.hdf5"))]
    wrong = {path: error for path in paths if (error := _error(path, layout)) is not None}
    if wrong:
        names = ", ".join(str(path.relative_to(directory)) for path in [*wrong][:SHOWN])
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise DatasetError(
            f"--resume: {len(wrong)} of {len(paths)} episodes kept in {directory} cannot be read: {names}{more}. "
            f"The first: {next(iter(wrong.values()))}"
        )


def _error(path: Path, layout: DatasetFormat) -> DatasetError | None:
    try:
        layout.open(path).close()
    except DatasetError as error:
        return error
    return None
