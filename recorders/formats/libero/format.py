"""LIBERO's format: `<task>_demo.hdf5` with all demonstrations of a task, for LIBERO's and robomimic's loaders.

During recording each demonstration is a file of its own, `parts/demo_<i>.hdf5`, so that nothing is lost when a run is
killed. At the end they are merged; the merged file appears whole, and then the parts are removed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.layout import PARTS, WriteOptions, task_folder
from ambidex.recorders.formats.images import Frames, OnStep
from ambidex.recorders.formats.libero.layout import DATA, PREFIX, demo_path, demos_in, part_files
from ambidex.recorders.formats.libero.merge import merge_demos, write_demos
from ambidex.recorders.formats.libero.proprioception import proprioception
from ambidex.recorders.formats.libero.reader import LiberoDemo
from ambidex.recorders.formats.libero.scene import LiberoScene, describe_scene
from ambidex.recorders.formats.libero.writer import check_storage, write_demo

if TYPE_CHECKING:
    from ambidex.envs.env import Environment

SUFFIX = "_demo.hdf5"


class LiberoFormat:
    """One HDF5 file per task; docs/datasets.md has the layout."""

    root_group = f"/{DATA}"
    default_storage = "lossless"

    def __init__(self) -> None:
        self._scene: tuple[Environment, LiberoScene] | None = None

    def check(self, spec: EnvSpec, options: WriteOptions) -> None:
        check_storage(options.storage, options.image_convention)
        if spec.family != "libero":
            problem = f"--format libero needs a task of the libero family; {spec.task} is of the family {spec.family}."
            raise UsageError(problem, "Use --format act.", got=spec.family, expected="libero")

    def episode_path(self, directory: Path, index: int) -> Path:
        return directory / PARTS / f"{PREFIX}{index}.hdf5"

    def find(self, directory: Path) -> dict[int, Path]:
        merged = merged_file(directory)
        found = part_files(directory) | (demos_in(merged) if merged is not None else {})
        return {index: found[index] for index in sorted(found)}

    def episodes_in(self, file: Path) -> list[Path]:
        return list(demos_in(file).values())

    def open(self, path: Path) -> StoredEpisode:
        return LiberoDemo(path)

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
        simulated = cast("Environment", env)  # the episode has states
        robot, scene = proprioception(simulated, episode.states[:-1]), self._scene_of(simulated)
        convention = options.image_convention
        write_demo(path, episode, frames, options.storage, robot, scene, convention=convention, on_step=on_step)

    def check_mergeable(self) -> None:
        """No-op: a file of demonstrations can be made of those of others."""

    def gather(self, directory: Path, task: str, episodes: Mapping[int, Path]) -> None:
        if episodes:
            demos = {index: demo_path(path) for index, path in episodes.items()}
            write_demos(directory / f"{task_folder(task)}{SUFFIX}", demos)

    def finish(self, directory: Path, task: str) -> None:
        merge_demos(merged_file(directory) or directory / f"{task_folder(task)}{SUFFIX}", part_files(directory))
        folder = directory / PARTS
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _scene_of(self, env: "Environment") -> LiberoScene:
        if self._scene is None or self._scene[0] is not env:
            self._scene = (env, describe_scene(env))
        return self._scene[1]


def merged_file(directory: Path) -> Path | None:
    """The file with all demonstrations of a dataset; None if there is none yet.

    Raises:
        DatasetError: There are several.
    """
    files = sorted(directory.glob(f"*{SUFFIX}"))
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        problem = f"{directory} holds several LIBERO files, {names}; a dataset has one."
        raise DatasetError(problem, "Remove those that do not belong to it.", path=directory, got=tuple(files))
    return files[0] if files else None
