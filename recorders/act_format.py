"""The ACT format as one of several: `episode_0.hdf5`, `episode_1.hdf5`, ... in the dataset's folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.envs.types import EnvSpec, Episode, ImageArray
from ambidex.errors import UsageError
from ambidex.recorders.act_reader import EpisodeFile
from ambidex.recorders.act_writer import write_episode
from ambidex.recorders.frame_steps import OnStep
from ambidex.recorders.image_storage import storage_class
from ambidex.recorders.layout import Layout
from ambidex.recorders.stored_episode import StoredEpisode

if TYPE_CHECKING:
    from ambidex.envs.env import Environment


def episode_path(directory: Path, index: int) -> Path:
    """Where episode `index` of an ACT dataset lies."""
    return directory / f"episode_{index}.hdf5"


class ActFormat:
    """One HDF5 file per episode, which the original ACT loader reads; recorders/act.py has the layout."""

    mark = "/observations"

    def check(self, spec: EnvSpec, layout: Layout) -> None:
        storage_class(layout.storage)
        if layout.image_convention != "upright":
            raise UsageError(
                f"--image-convention {layout.image_convention}: images of the act format are upright. Leave the flag "
                "out, or take --format libero."
            )

    def episode_path(self, directory: Path, index: int) -> Path:
        return episode_path(directory, index)

    def find(self, directory: Path) -> dict[int, Path]:
        names = [path.stem.removeprefix("episode_") for path in directory.glob("episode_*.hdf5")]
        indices = sorted(int(name) for name in names if name.isdecimal())
        return {index: episode_path(directory, index) for index in indices}

    def episodes_in(self, file: Path) -> list[Path]:
        return [file]

    def open(self, path: Path) -> StoredEpisode:
        return EpisodeFile(path)

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Mapping[str, Iterable[ImageArray]],
        layout: Layout,
        env: "Environment",
        on_step: OnStep | None = None,
    ) -> None:
        write_episode(path, episode, frames, layout.storage, on_step)

    def finish(self, directory: Path, task: str) -> None:
        """Nothing is left to do."""
