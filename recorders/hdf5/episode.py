"""Reads one stored episode from an HDF5 file."""

import zlib
from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import h5py
import numpy as np
import numpy.typing as npt

from ambidex.codec import from_json, parse
from ambidex.envs.registry import check_spec
from ambidex.envs.types import EnvSpec, Episode, ImageArray, Outcome, TakenOver
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.episode import FrameStore, StoredEpisode
from ambidex.recorders.dataset.info import INSTRUCTION_SEPARATOR, dataset_folder, stored_spec
from ambidex.recorders.dataset.repair import repair_hint, rerecord_command
from ambidex.recorders.formats.fields import Field, array_error
from ambidex.recorders.formats.images import decode_jpeg
from ambidex.recorders.hdf5.reading import Hdf5Source, reading
from ambidex.text import first_few

PARAPHRASES = "language:"  # the axis of perturbation that gives each episode an instruction of its own


@dataclass(frozen=True, kw_only=True, eq=False)
class Hdf5Frames:
    """The frames of one stored episode as datasets of its file.

    Attributes:
        datasets: Camera -> the dataset of its frames, in the spec's order.
        checksums: CRC-32 of each frame as stored, shape (cameras, T); None if the storage has its own.
        encoded: The frames are JPEG.
        bgr: Red and blue of the JPEGs are swapped.
        bottom_up: The rows of the frames are in OpenGL's order, the lowest first.
    """

    datasets: Mapping[str, h5py.Dataset]
    checksums: npt.NDArray[np.uint32] | None
    encoded: bool
    bottom_up: bool
    bgr: bool = False

    @cached_property
    def places(self) -> Mapping[str, str]:
        return {camera: str(images.name) for camera, images in self.datasets.items()}

    @property
    def storage(self) -> str:
        if self.encoded:
            return "jpeg-bgr" if self.bgr else "jpeg"
        return "lossless" if any(images.compression for images in self.datasets.values()) else "raw"

    def has_checksums(self, camera: str) -> bool:
        images = self.datasets[camera]
        return self.checksums is not None or images.compression == "gzip" or images.fletcher32

    def read(self, camera: str, t: int, size: tuple[int, int]) -> ImageArray:
        data: ImageArray = self.datasets[camera][t]
        if self.checksums is not None and zlib.crc32(data.data) != self.checksums[[*self.datasets].index(camera), t]:
            raise ValueError("its checksum differs")
        image = decode_jpeg(data, size) if self.encoded else data
        image = image[..., ::-1] if self.bgr else image
        return np.ascontiguousarray(image[::-1] if self.bottom_up else image)

    def check(self, path: Path, steps: int, size: tuple[int, int]) -> None:
        for images in self.datasets.values():
            frame = (max(images.shape[1:2], default=0),) if self.encoded else (*size, 3)
            got, expected = (images.dtype, images.shape), (np.dtype(np.uint8), (steps, *frame))
            if got != expected:
                raise array_error(path, images.name, got, expected)


class Hdf5Episode(StoredEpisode):
    """An episode in an HDF5 file.

    A format is a subclass: it says what the fields and the version are, where the frames are stored, and what the
    fingerprints cover.
    """

    _fields: ClassVar[tuple[Field, ...]]
    _format_version: ClassVar[int]

    def __init__(self, path: Path, *, file: Path, group: str) -> None:
        """Open and check: attributes, shapes and types of all fields, but no data.

        Args:
            path: The episode, for errors.
            file: The file it is in.
            group: The HDF5 group that has its attributes and fields.

        Raises:
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        self.path = path
        self._group = group
        self._source = Hdf5Source(file)
        try:
            with reading(path, "structure of the file"):
                self._open()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _stored_frames(self) -> FrameStore:
        """The frames; called once `spec` and `steps` are set."""

    @abstractmethod
    def _fingerprints(self, episode: Episode, names: Collection[str], spec: Mapping[str, object]) -> dict[str, str]:
        """What the fingerprints stored under `names` should be, given the spec as the file has it."""

    @property
    def model_sha256(self) -> str:
        return self._attribute("model_sha256", str)  # type: ignore[no-any-return]

    @property
    def versions(self) -> Mapping[str, str]:
        with reading(self.path, "attribute 'versions'"):
            return from_json(dict[str, str], self._json("versions"))

    @property
    def state_size(self) -> int:
        (field,) = (field for field in self._fields if field.name == "states")
        return int(self._source.dataset(self._location(field)).shape[1])

    @cached_property
    def episode(self) -> Episode:
        with reading(self.path, "attribute 'outcome'"):
            outcome = Outcome(self._attribute("outcome", str))
        episode = Episode(
            spec=self.spec,
            seed=int(self._attribute("seed", np.integer)),
            outcome=outcome,
            stage=int(self._attribute("stage", np.integer)),
            model_sha256=self.model_sha256,
            versions=self.versions,
            perturbed=self._optional_json("perturbed", {}),
            look=self._optional_json("look", 0),
            source_episode=self._optional_json("source_episode", None),
            taken_over=self._taken_over(),
            **{field.name: self._array(field) for field in self._fields},
        )
        with reading(self.path, "attribute 'sha256'"):
            self._check_fingerprints(episode)
        return episode

    def close(self) -> None:
        self._source.close()

    def _open(self) -> None:
        self._check_version()
        with reading(self.path, "attribute 'env_spec'"):
            self.spec = from_json(EnvSpec, self._json("env_spec"))
            check_spec(self.spec)
        self._check_dataset()
        self.steps = self._count_steps()
        for field in self._fields:
            dataset = self._source.dataset(self._location(field))
            field.check(self.path, dataset.shape, dataset.dtype, self.steps, self.spec)
        self._frames = self._stored_frames()
        self._frames.check(self.path, self.steps, self.spec.image_size)

    def _check_version(self) -> None:
        version = self._attribute("format_version", np.integer)
        if version != self._format_version:
            problem = f"{self.path}, attribute 'format_version': got {version}, expected {self._format_version}."
            facts = {"path": self.path, "field": "format_version", "got": version, "expected": self._format_version}
            raise DatasetError(problem, "Read it with the version of ambidex that wrote it.", **facts)

    def _check_dataset(self) -> None:
        """Refuse an episode of another recording in the folder of a dataset."""
        folder = dataset_folder(self.path)
        try:
            expected = stored_spec(folder) if folder else self.spec
            expected = replace(expected, horizon=self.spec.horizon)  # agents may end their attempts earlier
            if set(self.spec.perturb) <= set(expected.perturb):  # clean ones may be among perturbed ones
                expected = replace(expected, perturb=self.spec.perturb)
            own_words = any(word.startswith(PARAPHRASES) for word in self.spec.perturb)
            if own_words or self.spec.instruction in expected.instruction.split(INSTRUCTION_SEPARATOR):
                expected = replace(expected, instruction=self.spec.instruction)
        except DatasetError:  # the reader of the dataset reports it
            return
        found = self.spec.differences(expected)
        if found:
            names = tuple(line.partition(":")[0] for line in found)
            also = f" (and {first_few(names[1:], separator=', ')})" if names[1:] else ""
            problem = f"{self.path} is of another recording than the dataset {folder}: {found[0]}{also}."
            command = rerecord_command(self.path)
            hint = f"Move it out of the folder; if it replaced an episode, record that again: {command}"
            raise DatasetError(problem, hint, path=self.path, field=names[0], fields=names)

    def _count_steps(self) -> int:
        action = self._source.dataset(self._location(self._fields[0]))
        return int(action.shape[0]) if action.shape else 0

    def _check_fingerprints(self, episode: Episode) -> None:
        stored = self._json("sha256")
        for name, fingerprint in self._fingerprints(episode, stored, self._json("env_spec")).items():
            if stored.get(name) != fingerprint:
                problem = f"{self.path}, {name}: its SHA-256 differs, so it was damaged or changed after recording."
                raise DatasetError(problem, repair_hint(self.path), path=self.path, field=name)

    def _array(self, field: Field) -> "np.ndarray[Any, Any]":
        array = self._source.array(self._location(field))
        field.check_finite(self.path, array)
        return array

    def _location(self, field: Field) -> str:
        return str(PurePosixPath(self._group) / field.path)

    def _attribute(self, name: str, kind: type) -> Any:
        return self._source.attribute(name, kind, self._group)

    def _optional_json(self, attribute: str, default: object) -> Any:
        """What only some episodes have; the SHA-256 of the attributes covers it."""
        return self._json(attribute) if self._source.has_attribute(attribute, self._group) else default

    def _taken_over(self) -> TakenOver | None:
        with reading(self.path, "attribute 'taken_over'"):
            stored = self._optional_json("taken_over", None)
            return None if stored is None else from_json(TakenOver, stored)

    def _json(self, attribute: str) -> Any:
        text = self._attribute(attribute, str)
        with reading(self.path, f"attribute {attribute!r}"):
            return parse(text)
