"""Reads ACT episodes: fields at once, frames by random access."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec, Episode, ImageArray, Outcome
from ambidex.recorders.act_fields import FIELDS, FORMAT_VERSION, IMAGES, fingerprints
from ambidex.recorders.hdf5_source import Hdf5Source, reading
from ambidex.recorders.image_storage import IMAGE_CRC32
from ambidex.recorders.stored_frames import StoredFrames


def read_episode(path: Path) -> Episode:
    """Everything of an episode file but the pixels.

    Raises:
        DatasetError: The file is missing, damaged, or was not recorded by this project.
    """
    with EpisodeFile(path) as file:
        return file.episode


class EpisodeFile:
    """An open episode file. A context manager; `close` otherwise.

    Attributes:
        path: The file.
        spec: The spec of the environment it was recorded in.
        storage: "lossless", "jpeg" or "raw".
        steps: Number of control steps, T.
    """

    def __init__(self, path: Path) -> None:
        """Open and check the file: attributes, shapes and types of all fields, but no data.

        Raises:
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        self.path = path
        self._source = Hdf5Source(path)
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
            outcome = Outcome(source.attribute("outcome", str))
        episode = Episode(
            spec=self.spec,
            seed=int(source.attribute("seed", np.integer)),
            outcome=outcome,
            stage=int(source.attribute("stage", np.integer)),
            model_sha256=source.attribute("model_sha256", str),
            versions=self._json("versions"),
            **{field.name: source.array(field.path) for field in FIELDS},
        )
        with reading(self.path, "attribute 'sha256'"):
            self._check_content(episode)
        return episode

    def frame(self, camera: str, t: int) -> ImageArray:
        """What a camera saw before action t, shape (H, W, 3) uint8 RGB; t in [0, T).

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
        self.steps = self._count_steps()
        for field in FIELDS:
            dataset = self._source.dataset(field.path)
            field.check(self.path, dataset.shape, dataset.dtype, self.steps, self.spec)
        self._frames = self._stored_frames()
        self.storage = self._frames.storage
        self._frames.check()

    def _check_version(self) -> None:
        version = self._source.attribute("format_version", np.integer)
        if version != FORMAT_VERSION:
            raise DatasetError(
                f"{self.path}, attribute 'format_version': got {version}, expected {FORMAT_VERSION}. The file was "
                "written by another version of ambidex; read it with that one."
            )

    def _count_steps(self) -> int:
        action = self._source.dataset(FIELDS[0].path)
        return int(action.shape[0]) if action.shape else 0

    def _stored_frames(self) -> StoredFrames:
        source = self._source
        return StoredFrames(
            path=self.path,
            datasets={camera: source.dataset(f"{IMAGES}/{camera}") for camera in self.spec.cameras},
            checksums=source.array(IMAGE_CRC32) if source.has(IMAGE_CRC32) else None,
            encoded=bool(source.attribute("compress", np.bool_)),
            bottom_up=False,
            steps=self.steps,
            image_size=self.spec.image_size,
        )

    def _json(self, attribute: str) -> Any:
        text = self._source.attribute(attribute, str)
        with reading(self.path, f"attribute {attribute!r}"):
            return json.loads(text)

    def _check_content(self, episode: Episode) -> None:
        stored = self._json("sha256")
        for field, fingerprint in fingerprints(episode, spec=self._json("env_spec")).items():
            if stored.get(field) != fingerprint:
                raise DatasetError(
                    f"{self.path}, {field}: the SHA-256 differs from the one stored in attribute 'sha256', so this was "
                    "damaged or changed after recording. Restore the file from a copy, or record the episode again."
                )
