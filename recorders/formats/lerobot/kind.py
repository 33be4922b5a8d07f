"""LeRobot datasets of other programs, without what needs pyarrow and PyAV until one is read."""

from pathlib import Path

from ambidex.errors import UsageError
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.lerobot.layout import INFO, PREFIX, has_metadata, pyarrow_module


class ForeignLeRobot:
    """A LeRobot dataset, v3.0 or v2.1; its episodes are FOLDER/episode_I."""

    name = "lerobot"

    def holds(self, path: Path) -> bool:
        return has_metadata(path)

    def episode_path(self, directory: Path, index: int) -> Path:
        return directory / f"{PREFIX}{index}"

    def find(self, directory: Path) -> dict[int, Path]:
        found: dict[int, Path] = pyarrow_module("foreign").episode_paths(directory)
        return found

    def episodes_in(self, file: Path) -> list[Path]:
        return [file]

    def open(self, path: Path) -> StoredEpisode:
        episode: StoredEpisode = pyarrow_module("foreign").LeRobotDemonstration(path)
        return episode

    def info(self, path: Path) -> DatasetInfo:
        info: DatasetInfo = pyarrow_module("foreign").dataset_info(path)
        return info

    def notes(self, path: Path) -> tuple[str, ...]:
        notes: tuple[str, ...] = pyarrow_module("index").read_index(path).notes
        return notes

    def describe(self, path: Path, preset: str | None) -> Path:
        problem = f"{path}: a LeRobot dataset says in {INFO} what its data mean."
        raise UsageError(problem, "Correct names and robot_type there.", path=path)
