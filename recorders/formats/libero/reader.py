"""Reads LIBERO files that this project wrote: one demonstration, or all of a file."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ambidex.envs.types import Episode
from ambidex.errors import DatasetError
from ambidex.lookup import item_at
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.formats.fields import NAMED_FIELDS
from ambidex.recorders.formats.images import IMAGE_CRC32
from ambidex.recorders.formats.libero.layout import (
    CONVENTIONS,
    DATA,
    FORMAT_VERSION,
    OBSERVATIONS,
    OWN,
    demo_path,
    demos_in,
    fingerprints,
    image_keys,
)
from ambidex.recorders.hdf5.episode import Hdf5Episode, Hdf5Frames
from ambidex.text import pluralize


class LiberoDemo(Hdf5Episode):
    """An open demonstration; its storage is "lossless" or "raw".

    Raises:
        UsageError: A file with several demonstrations.
    """

    _fields = NAMED_FIELDS
    _format_version = FORMAT_VERSION

    def __init__(self, path: Path) -> None:
        demo = demo_path(path)
        self._demo = f"/{DATA}/{demo.name}"
        super().__init__(path, file=demo.parent, group=f"{self._demo}/{OWN}")

    def _stored_frames(self) -> Hdf5Frames:
        source, checksums = self._source, f"{self._group}/{IMAGE_CRC32}"
        images = f"{self._demo}/{OBSERVATIONS}"
        return Hdf5Frames(
            datasets={camera: source.dataset(f"{images}/{key}") for camera, key in image_keys(self.spec).items()},
            checksums=source.array(checksums) if source.has(checksums) else None,
            encoded=False,
            bottom_up=self._convention() == "opengl",
        )

    def _convention(self) -> str:
        convention: str = self._source.attribute("image_convention", str, f"/{DATA}")
        if convention not in CONVENTIONS:
            field, known = "attribute 'image_convention'", " or ".join(CONVENTIONS)
            problem = f"{self.path}, {field}: got {convention!r}, expected {known}."
            raise DatasetError(problem, repair_hint(self.path), path=self.path, field=field, got=convention)
        return convention

    def _fingerprints(self, episode: Episode, names: Collection[str], spec: Mapping[str, object]) -> dict[str, str]:
        others = [name for name in names if name != "attributes" and not name.startswith(f"{OWN}/")]
        return fingerprints(episode, {name: self._source.array(f"{self._demo}/{name}") for name in others}, spec)


class DemoFile:
    """The demonstrations of a LIBERO file, by number. Indexing opens one; close it, or use it in `with`.

    Attributes:
        path: The file.
        paths: Its demonstrations, FILE/demo_I.
    """

    def __init__(self, path: Path) -> None:
        """List the demonstrations.

        Raises:
            DatasetError: The file is missing, damaged or foreign.
        """
        self.path = path
        self.paths = tuple(demos_in(path).values())

    def __repr__(self) -> str:
        return f"<DemoFile {self.path}: {pluralize(len(self), 'demonstration')}>"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> LiberoDemo:
        return LiberoDemo(item_at(self.paths, index, self, "demonstration"))

    def __iter__(self) -> Iterator[LiberoDemo]:
        """The demonstrations one after the other; each is closed when the next is asked for."""
        for path in self.paths:
            with LiberoDemo(path) as demo:
                yield demo
