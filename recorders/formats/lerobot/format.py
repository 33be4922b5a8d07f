"""The format lerobot: a LeRobot dataset v3.0, and ambidex/ with what LeRobot has no place for.

While episodes are recorded each becomes ambidex/episode_I.hdf5 and a video for each camera, so that nothing is lost
when a run is killed. The rows of all episodes and the metadata follow after the last.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import UsageError, check_name
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.layout import EXTRAS, WriteOptions
from ambidex.recorders.formats.images import Frames, OnStep
from ambidex.recorders.formats.lerobot.layout import INFO, PREFIX, pyarrow_module, root_of
from ambidex.recorders.formats.lerobot.reader import LeRobotEpisode
from ambidex.recorders.formats.lerobot.writer import ENCODINGS, GROUP, write_episode

if TYPE_CHECKING:
    from ambidex.envs.env import Environment


class LeRobotFormat:
    """A LeRobot dataset v3.0; docs/datasets.md has the layout."""

    root_group = GROUP
    default_storage = "h264"

    def check(self, spec: EnvSpec, options: WriteOptions) -> None:
        check_name("storage", options.storage, ENCODINGS)
        if options.image_convention != "upright":
            problem = f"--image-convention {options.image_convention}: images of the lerobot format are upright."
            raise UsageError(problem, "Leave the flag out, or use --format libero.", got=options.image_convention)
        if spec.cameras and any(side % 2 for side in spec.image_size):
            problem = f"--image-size {spec.image_size[0]} {spec.image_size[1]}: videos need even sides."
            raise UsageError(problem, "Use even numbers, or another --format.", got=spec.image_size)
        pyarrow_module("metadata")

    def episode_path(self, directory: Path, index: int) -> Path:
        return directory / EXTRAS / f"{PREFIX}{index}.hdf5"

    def find(self, directory: Path) -> dict[int, Path]:
        names = [path.stem.removeprefix(PREFIX) for path in (directory / EXTRAS).glob(f"{PREFIX}*.hdf5")]
        return {index: self.episode_path(directory, index) for index in sorted(map(int, filter(str.isdecimal, names)))}

    def episodes_in(self, file: Path) -> list[Path]:
        return [file]

    def open(self, path: Path) -> StoredEpisode:
        return LeRobotEpisode(path)

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Frames,
        options: WriteOptions,
        env: "Environment | None",
        on_step: OnStep | None = None,
    ) -> None:
        self.check(episode.spec, options)
        (root_of(path) / INFO).unlink(missing_ok=True)  # its tables lack this episode until `finish`
        write_episode(path, episode, frames, options.storage, on_step)

    def check_mergeable(self) -> None:
        problem = "Datasets in the lerobot format cannot be merged: the rows of all episodes are in common files."
        hint = "Record shards in another --format, merge them, and run convert-dataset --format lerobot."
        raise UsageError(problem, hint, got="lerobot")

    def gather(self, directory: Path, task: str, episodes: Mapping[int, Path]) -> None:
        self.check_mergeable()

    def finish(self, directory: Path, task: str) -> None:
        pyarrow_module("metadata").write_metadata(directory, self.find(directory))
