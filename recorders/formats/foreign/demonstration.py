"""One HDF5 demonstration of another program, once it is known what the datasets in it mean."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from ambidex.envs.registry import MAX_IMAGE_SIDE, check_spec
from ambidex.envs.types import EnvSpec, Episode, Float32Array, ImageArray
from ambidex.errors import DatasetError
from ambidex.recorders.formats.foreign.description import Description
from ambidex.recorders.formats.foreign.episode import ROBOTS, ForeignEpisode, foreign_spec
from ambidex.recorders.formats.images import decode_jpeg
from ambidex.recorders.hdf5.reading import LARGEST_ARRAY, Hdf5Source, reading

HINT = "Correct it in the file or in dataset.toml, or leave the episode out."
OURS = {robot: family for family, robot, _ in ROBOTS.values()}
NAMES = {(robot, control): names for names, (_, robot, control) in ROBOTS.items()}
"""Robot and control mode of ours -> names of state and action."""


@dataclass(frozen=True, kw_only=True)
class EpisodeGroups:
    """Where an episode is: its file, and the groups in it."""

    file: Path
    actions: str
    observations: str
    images: str


@dataclass(frozen=True, kw_only=True, eq=False)
class DescribedFrames:
    """The frames of one demonstration; a `FrameStore`.

    Attributes:
        datasets: Camera -> its frames: (T, H, W, 3) uint8, or one JPEG a row.
        sizes: Camera -> their height and width [px].
        description: How they are stored.
    """

    datasets: Mapping[str, h5py.Dataset]
    sizes: Mapping[str, tuple[int, int]]
    description: Description

    @cached_property
    def places(self) -> Mapping[str, str]:
        return {camera: str(images.name) for camera, images in self.datasets.items()}

    @property
    def storage(self) -> str:
        if any(images.ndim == 2 for images in self.datasets.values()):
            return "jpeg-bgr" if self.description.colours == "bgr" else "jpeg"
        return "lossless" if any(images.compression for images in self.datasets.values()) else "raw"

    def check(self, path: Path, steps: int, size: tuple[int, int]) -> None:
        for images in self.datasets.values():
            if len(images) != steps:
                raise wrong(path, str(images.name), f"{len(images)} rows", f"{steps} as of the actions")

    def has_checksums(self, camera: str) -> bool:
        return self.datasets[camera].compression == "gzip" or bool(self.datasets[camera].fletcher32)

    def read(self, camera: str, t: int, size: tuple[int, int]) -> ImageArray:
        data: ImageArray = self.datasets[camera][t]
        image = decode_jpeg(data, self.sizes[camera]) if data.ndim == 1 else data
        image = image[..., ::-1] if self.description.colours == "bgr" else image
        image = image[::-1] if self.description.images != "upright" else image
        image = image[:, ::-1] if self.description.images == "rotated" else image
        image = np.ascontiguousarray(image)
        return image if image.shape[:2] == size else np.array(Image.fromarray(image).resize(size[::-1]))


class Demonstration(ForeignEpisode):
    """An open demonstration.

    Args:
        path: The episode, for errors.
        groups: Where it is.
        description: What the datasets in it mean.
        number: Its number in its dataset.

    Raises:
        DatasetError: The file is missing or damaged, or the description does not fit it.
    """

    _frames: DescribedFrames

    def __init__(self, path: Path, groups: EpisodeGroups, description: Description, number: int) -> None:
        self.path, self._groups, self._description, self._number = path, groups, description, number
        self._source = Hdf5Source(groups.file)
        try:
            with reading(path, "structure of the file"):
                self._open()
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> list[str]:
        """What a user should know, one sentence each."""
        described, known = self._description, (self._description.robot, self._description.control) in NAMES
        unnamed = [name for name in ("state", "action") if not (known or getattr(described, f"{name}_names"))]
        small = [camera for camera in described.cameras if camera not in self.cameras]
        sentences = {
            f"{' and '.join(unnamed)} have no names of dimensions, which are numbered": unnamed,
            f"{', '.join(small)} are left out, whose images are of another size; image_size scales them": small,
            "there is no instruction": not self.spec.instruction,
            "each action goes with the observation of the row before it": described.observed == "after",
        }
        return [sentence for sentence, holds in sentences.items() if holds]

    @cached_property
    def episode(self) -> Episode:
        with reading(self.path, "its arrays"):
            success = self._description.success == "all" or bool((self._vectors(self._rewards()) > 0).any())
            velocities = f"{self._groups.observations}/qvel"
            has_velocities = self._description.state == ("qpos",) and self._source.has(velocities)
            return self._episode(
                seed=self._number,
                success=success,
                qpos=self._states(),
                actions=self._vectors(self._actions())[self._delay :],
                qvel=self._vectors([velocities])[: self.steps] if has_velocities else None,
            )

    def close(self) -> None:
        self._source.close()

    @property
    def _delay(self) -> int:
        """How many rows later the action is that follows an observation."""
        return 1 if self._description.observed == "after" else 0

    def _actions(self) -> list[str]:
        return [f"{self._groups.actions}/{name}" for name in self._description.action]

    def _rewards(self) -> list[str]:
        return [f"{self._groups.actions}/rewards"]

    def _open(self) -> None:
        described, groups = self._description, self._groups
        widths = [self._width(self._actions())]
        states = [f"{groups.observations}/{name}" for name in described.state]
        widths = [self._width(states) - bool(described.finger_stroke), *widths]
        datasets = {camera: self._images(name) for camera, name in described.cameras.items()}
        sizes = {camera: self._size(images) for camera, images in datasets.items()}
        size = described.image_size or next(iter(sizes.values()), (1, 1))
        chosen = {
            camera: images for camera, images in datasets.items() if described.image_size or sizes[camera] == size
        }
        self.steps = self._rows - self._delay
        self.spec = self._spec(tuple(chosen), size, widths)
        check_spec(self.spec)
        self._frames = DescribedFrames(datasets=chosen, sizes=sizes, description=described)
        self._frames.check(self.path, self._rows, size)

    def _spec(self, cameras: tuple[str, ...], size: tuple[int, int], widths: Sequence[int]) -> EnvSpec:
        described = self._description
        text = described.instruction
        known = NAMES.get((described.robot, described.control), ((), ()))
        state, action = (
            self._names(kind, width, names)
            for kind, width, names in zip(("state", "action"), widths, known, strict=True)
        )
        return foreign_spec(
            task=self._groups.file.stem,
            family=OURS[described.robot] if any(known) else "",
            robot=described.robot,
            control=described.control,
            control_hz=described.control_hz,
            horizon=max(1, self.steps),
            cameras=cameras,
            image_size=size,
            instruction=text if isinstance(text, str) else text.get(self._groups.file.name, ""),
            action_names=action,
            joint_names=state,
            dynamics=described.dynamics,
        )

    def _names(self, kind: str, width: int, known: tuple[str, ...]) -> tuple[str, ...]:
        field, robot = f"{kind}_names", self._description.robot
        given = getattr(self._description, field) or known or tuple(f"{kind}_{i}" for i in range(width))
        if known and given != known:
            raise wrong(self.path, field, ", ".join(given), f"those of ambidex's {robot}, {', '.join(known)}")
        if len(given) != width:
            raise wrong(self.path, kind, f"{width} numbers a step", f"{len(given)}: {', '.join(given)}")
        return tuple(given)

    @cached_property
    def _rows(self) -> int:
        """Rows of the actions, T or T + 1."""
        dataset = self._dataset(self._actions()[0])
        rows = int(dataset.shape[0]) if dataset.shape else 0
        if rows <= self._delay:
            raise wrong(self.path, str(dataset.name), f"{rows} rows", f"at least {self._delay + 1}")
        return rows

    def _width(self, names: Sequence[str]) -> int:
        return sum(self._checked(name).shape[1] if self._checked(name).ndim == 2 else 1 for name in names)

    def _checked(self, name: str) -> h5py.Dataset:
        """A dataset of one or more numbers for each row."""
        dataset = self._dataset(name)
        if dataset.dtype.kind not in "bfiu" or dataset.ndim not in (1, 2) or dataset.shape[0] != self._rows:
            got, expected = f"{dataset.dtype} of shape {dataset.shape}", f"numbers of shape ({self._rows}, n)"
            raise wrong(self.path, name, got, expected)
        return dataset

    def _dataset(self, name: str) -> h5py.Dataset:
        if not self._source.has(name):
            group = name.rpartition("/")[0] or "/"
            names = self._source.names(group) if self._source.has(group) else []
            raise wrong(self.path, name, "nothing", f"a dataset; {group} has {', '.join(names) or 'nothing'}")
        return self._source.dataset(name)

    def _images(self, name: str) -> h5py.Dataset:
        return self._dataset(f"{self._groups.images}/{name}")

    def _size(self, images: h5py.Dataset) -> tuple[int, int]:
        size = frame_size(images)
        if size is None or max(size) > MAX_IMAGE_SIDE:
            expected = "uint8 of shape (T, H, W, 3), or a JPEG in each row"
            raise wrong(self.path, str(images.name), f"{images.dtype} of shape {images.shape}", expected)
        return size

    def _states(self) -> Float32Array:
        states = self._vectors([f"{self._groups.observations}/{name}" for name in self._description.state])
        if stroke := self._description.finger_stroke:  # as in our panda the first finger tells the opening
            opening = np.abs(states[:, -2:-1]) / np.float32(stroke)
            states = np.concatenate([states[:, :-2], opening], axis=1)
        return states[: self.steps]

    def _vectors(self, names: Sequence[str]) -> Float32Array:
        """Datasets side by side, shape (rows, n)."""
        arrays = []
        for name in names:
            self._checked(name)
            array: np.ndarray[Any, Any] = self._source.array(name).reshape(self._rows, -1).astype(np.float32)
            if not np.isfinite(array).all():
                step, dimension = map(int, np.argwhere(~np.isfinite(array))[0])
                where = f"{name}, step {step}, dimension {dimension}"
                raise wrong(self.path, where, str(array[step, dimension]), "a finite number")
            arrays.append(array)
        return np.concatenate(arrays, axis=1)


def frame_size(images: h5py.Dataset) -> tuple[int, int] | None:
    """Height and width of images [px]; None for a dataset of anything else."""
    if images.dtype != np.uint8 or not images.shape or not images.shape[0]:
        return None
    if images.ndim == 4 and images.shape[3] == 3:
        return images.shape[1], images.shape[2]
    return _jpeg_size(images[0]) if images.ndim == 2 and images.shape[1] <= LARGEST_ARRAY else None


def wrong(path: Path, field: str, got: str, expected: str) -> DatasetError:
    """The error for a part of a file that is not what it should be."""
    return DatasetError(f"{path}, {field}: got {got}, expected {expected}.", HINT, path=path, field=field, got=got)


def _jpeg_size(row: ImageArray) -> tuple[int, int] | None:
    try:
        with Image.open(io.BytesIO(row.tobytes()), formats=("jpeg",)) as image:
            return image.height, image.width
    except OSError:
        return None
