"""Reads demonstrations of LIBERO files that this project wrote: fields at once, frames by random access."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec, Episode, ImageArray, Outcome
from ambidex.recorders.hdf5_source import Hdf5Source, reading
from ambidex.recorders.image_storage import IMAGE_CRC32
from ambidex.recorders.libero_fields import (
    CONVENTIONS,
    DATA,
    FORMAT_VERSION,
    OBSERVATIONS,
    OWN,
    OWN_FIELDS,
    fingerprints,
    image_key,
)
from ambidex.recorders.libero_place import LiberoPlace
from ambidex.recorders.stored_frames import StoredFrames


class LiberoDemo:
    """An open demonstration. A context manager; `close` otherwise.

    Attributes:
        path: Of its file, or FILE/demo_I.
        spec: The spec of the environment it was recorded in.
        storage: "lossless" or "raw".
        steps: Number of control steps, T.
    """

    def __init__(self, path: Path) -> None:
        """Open and check: attributes, shapes and types of all fields, but no data.

        Raises:
            UsageError: A file with several demonstrations.
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        self.path = path
        place = LiberoPlace.of(path)
        self._demo = f"/{DATA}/{place.demo}"
        self._own = f"{self._demo}/{OWN}"
        self._source = Hdf5Source(place.file)
        try:
            with reading(path, "structure of the file"):
                self._open()
        except BaseException:
            self.close()
            raise

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras stored, in the spec's order."""
        return self.spec.cameras

    @cached_property
    def episode(self) -> Episode:
        """Everything but the pixels, read on first use.

        Raises:
            DatasetError: A field is damaged.
        """
        source = self._source
        with reading(self.path, "attribute 'outcome'"):
            outcome = Outcome(source.attribute("outcome", str, self._own))
        episode = Episode(
            spec=self.spec,
            seed=int(source.attribute("seed", np.integer, self._own)),
            outcome=outcome,
            stage=int(source.attribute("stage", np.integer, self._own)),
            model_sha256=source.attribute("model_sha256", str, self._own),
            versions=self._json("versions"),
            **{field.name: source.array(f"{self._own}/{field.path}") for field in OWN_FIELDS},
        )
        with reading(self.path, "attribute 'sha256'"):
            self._check_content(episode)
        return episode

    def frame(self, camera: str, t: int) -> ImageArray:
        """What a camera saw before action t, shape (H, W, 3) uint8 RGB, upright; t in [0, T).

        Raises:
            UnknownNameError: The file has no such camera.
            UsageError: t is out of range.
            DatasetError: The frame is damaged.
        """
        return self._frames.frame(camera, t)

    def frames(self, camera: str) -> Iterator[ImageArray]:
        """All T frames of a camera, one at a time."""
        return (self.frame(camera, t) for t in range(self.steps))

    def close(self) -> None:
        """Close the file; what was read stays. Safe to call twice."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        self._check_version()
        with reading(self.path, "attribute 'env_spec'"):
            self.spec = EnvSpec.from_dict(self._json("env_spec"))
        self.steps = int(self._source.dataset(f"{self._own}/{OWN_FIELDS[0].path}").shape[0])
        for field in OWN_FIELDS:
            dataset = self._source.dataset(f"{self._own}/{field.path}")
            field.check(self.path, dataset.shape, dataset.dtype, self.steps, self.spec)
        self._frames = self._stored_frames()
        self.storage = self._frames.storage
        self._frames.check()

    def _check_version(self) -> None:
        version = self._source.attribute("format_version", np.integer, self._own)
        if version != FORMAT_VERSION:
            raise DatasetError(
                f"{self.path}, attribute 'format_version': got {version}, expected {FORMAT_VERSION}. The file was "
                "written by another version of ambidex; read it with that one."
            )

    def _stored_frames(self) -> StoredFrames:
        source, checksums = self._source, f"{self._own}/{IMAGE_CRC32}"
        shown = f"{self._demo}/{OBSERVATIONS}"
        return StoredFrames(
            path=self.path,
            datasets={camera: source.dataset(f"{shown}/{image_key(camera)}") for camera in self.spec.cameras},
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

    def _json(self, attribute: str) -> Any:
        text = self._source.attribute(attribute, str, self._own)
        with reading(self.path, f"attribute {attribute!r}"):
            return json.loads(text)

    def _check_content(self, episode: Episode) -> None:
        stored = self._json("sha256")
        names = [name for name in stored if name != "attributes" and not name.startswith(f"{OWN}/")]
        shown = {name: self._source.array(f"{self._demo}/{name}") for name in names}
        for name, fingerprint in fingerprints(episode, shown, self._json("env_spec")).items():
            if stored.get(name) != fingerprint:
                raise DatasetError(
                    f"{self.path}, {name}: the SHA-256 differs from the one stored in attribute 'sha256', so this was "
                    "damaged or changed after recording. Restore the file from a copy, or record the episode again."
                )
