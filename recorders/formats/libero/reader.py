"""Reads demonstrations of LIBERO files that this project wrote: fields at once, frames by random access."""

from collections.abc import Collection, Mapping
from pathlib import Path

from ambidex.envs.types import Episode
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.episode import StoredEpisode, StoredFrames
from ambidex.recorders.formats.images import IMAGE_CRC32
from ambidex.recorders.formats.libero.layout import (
    CONVENTIONS,
    DATA,
    FORMAT_VERSION,
    OBSERVATIONS,
    OWN,
    OWN_FIELDS,
    LiberoPlace,
    fingerprints,
    image_key,
)


class LiberoDemo(StoredEpisode):
    """An open demonstration; its storage is "lossless" or "raw"."""

    _fields = OWN_FIELDS
    _format_version = FORMAT_VERSION

    def __init__(self, path: Path) -> None:
        """Open and check: attributes, shapes and types of all fields, but no data.

        Raises:
            UsageError: A file with several demonstrations.
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        place = LiberoPlace.of(path)
        self._demo = f"/{DATA}/{place.demo}"
        super().__init__(path, file=place.file, group=f"{self._demo}/{OWN}")

    def _stored_frames(self) -> StoredFrames:
        source, checksums = self._source, f"{self._group}/{IMAGE_CRC32}"
        shown = f"{self._demo}/{OBSERVATIONS}"
        return StoredFrames(
            path=self.path,
            datasets={camera: source.dataset(f"{shown}/{image_key(camera)}") for camera in self.cameras},
            checksums=source.array(checksums) if source.has(checksums) else None,
            encoded=False,
            bottom_up=self._convention() == "opengl",
            steps=self.steps,
            image_size=self.spec.image_size,
        )

    def _convention(self) -> str:
        convention: str = self._source.attribute("image_convention", str, f"/{DATA}")
        if convention not in CONVENTIONS:
            raise DatasetError(
                f"{self.path}, attribute 'image_convention': got {convention!r}, expected {' or '.join(CONVENTIONS)}. "
                "Restore the file from a copy."
            )
        return convention

    def _fingerprints(self, episode: Episode, names: Collection[str], spec: Mapping[str, object]) -> dict[str, str]:
        others = [name for name in names if name != "attributes" and not name.startswith(f"{OWN}/")]
        return fingerprints(episode, {name: self._source.array(f"{self._demo}/{name}") for name in others}, spec)
