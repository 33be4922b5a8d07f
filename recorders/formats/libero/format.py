"""LIBERO's format as one of several: `<task>_demo.hdf5` with all demonstrations of a task.

While episodes come, each is a sealed LIBERO file of its own, `parts/demo_<i>.hdf5`, so that whatever happens, what is
recorded stays. In the end they are joined; the joined file takes its place whole, and then the parts go.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.envs.types import EnvSpec, Episode, ImageArray
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.layout import Layout, task_folder
from ambidex.recorders.formats.images import OnStep
from ambidex.recorders.formats.libero.layout import DATA, PREFIX, demo_index, demos_of
from ambidex.recorders.formats.libero.merge import join
from ambidex.recorders.formats.libero.proprioception import proprioception
from ambidex.recorders.formats.libero.reader import LiberoDemo
from ambidex.recorders.formats.libero.scene import LiberoScenery, scenery
from ambidex.recorders.formats.libero.writer import check_storage, write_demo

if TYPE_CHECKING:
    from ambidex.envs.env import Environment

PARTS = "parts"
END = "_demo.hdf5"


class LiberoFormat:
    """One HDF5 file per task, which LIBERO's and robomimic's loaders read; docs/datasets.md has the layout."""

    mark = f"/{DATA}"

    def __init__(self) -> None:
        self._scenery: tuple[Environment, LiberoScenery] | None = None

    def check(self, spec: EnvSpec, layout: Layout) -> None:
        check_storage(layout.storage, layout.image_convention)
        if spec.family != "libero" or spec.control != "ee":
            raise UsageError(
                f"--format libero: {spec.task} is of the family {spec.family} and under {spec.control} control; the "
                "format is for tasks of the libero family under ee control. Take --format act."
            )

    def episode_path(self, directory: Path, index: int) -> Path:
        return directory / PARTS / f"{PREFIX}{index}.hdf5"

    def find(self, directory: Path) -> dict[int, Path]:
        found = {demo_index(path.stem): path for path in (directory / PARTS).glob(f"{PREFIX}*.hdf5")}
        joined = joined_file(directory)
        if joined is not None:
            found |= {demo_index(name): joined / name for name in demos_of(joined)}
        return {index: found[index] for index in sorted(index for index in found if index is not None)}

    def episodes_in(self, file: Path) -> list[Path]:
        return [file / name for name in demos_of(file)]

    def open(self, path: Path) -> StoredEpisode:
        return LiberoDemo(path)

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Mapping[str, Iterable[ImageArray]],
        layout: Layout,
        env: "Environment",
        on_step: OnStep | None = None,
    ) -> None:
        self.check(episode.spec, layout)
        seen, known = proprioception(env, episode.states[:-1]), self._scenery_of(env)
        convention = layout.image_convention
        write_demo(path, episode, frames, layout.storage, seen, known, convention=convention, on_step=on_step)

    def finish(self, directory: Path, task: str) -> None:
        folder = directory / PARTS
        parts = {demo_index(path.stem): path for path in folder.glob(f"{PREFIX}*.hdf5")}
        target = joined_file(directory) or directory / f"{task_folder(task)}{END}"
        join(target, {index: path for index, path in parts.items() if index is not None})
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _scenery_of(self, env: "Environment") -> LiberoScenery:
        if self._scenery is None or self._scenery[0] is not env:
            self._scenery = (env, scenery(env))
        return self._scenery[1]


def joined_file(directory: Path) -> Path | None:
    """The file with all demonstrations of a dataset; None if there is none yet.

    Raises:
        DatasetError: There are several.
    """
    files = sorted(directory.glob(f"*{END}"))
    if len(files) > 1:
        raise DatasetError(
            f"{directory} holds several LIBERO files, {', '.join(file.name for file in files)}, and a dataset is one. "
            "Keep the one that belongs there."
        )
    return files[0] if files else None


# FOLDED recorders.demo_file: A LIBERO file as a sequence of episodes.


class DemoFile:
    """The demonstrations of a LIBERO file that this project wrote, by number. Opened when asked for; close them.

    Attributes:
        path: The file.
        paths: Its demonstrations, FILE/demo_I.
    """

    def __init__(self, path: Path) -> None:
        """Look which demonstrations there are.

        Raises:
            DatasetError: The file is missing, damaged or foreign.
        """
        self.path = path
        self.paths = tuple(path / name for name in demos_of(path))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> LiberoDemo:
        return LiberoDemo(self.paths[index])

    def __iter__(self) -> Iterator[LiberoDemo]:
        """Each demonstration in turn, open while it is its turn."""
        for path in self.paths:
            with LiberoDemo(path) as demo:
                yield demo
