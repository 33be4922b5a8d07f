"""Writes the frames of an episode into an HDF5 file: lossless, raw or jpeg."""

import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import h5py
import numpy as np
from PIL import Image

from ambidex.envs.types import Episode, ImageArray
from ambidex.errors import DatasetError, check_name
from ambidex.recorders.hdf5.writing import Hdf5Sink

COMPRESS_LEN = "compress_len"
IMAGE_CRC32 = "image_crc32"
JPEG_BGR = "jpeg_bgr"  # attribute: red and blue of the JPEGs are swapped

# Measured on rendered episodes, 480x640 (docs/decisions/0004): level 3 takes 5 % more time than level 1 and 15 % less
# space; from level 4 on the time doubles. The shuffle filter is of no use: it reorders the bytes of a number, and a
# uint8 has one.
GZIP_LEVEL = 3
# Of the ALOHA cell, 480x640, lossless frames take 22.6 kB, JPEGs of quality 80 17.7 kB with a mean error of 0.7 of 255,
# of quality 95 31.5 kB with 0.4; of LIBERO's scenes, 256x256, 53.9, 11.6 and 23.8 kB.
JPEG_QUALITY = 80
FULL_COLOUR = 0  # no chroma subsampling: it smears small coloured objects

Frames = Mapping[str, Iterable[ImageArray]]
"""Camera -> its T frames, each (H, W, 3) uint8 RGB, upright."""
OnStep = Callable[[int, Mapping[str, ImageArray]], None]
"""Called with (t, the frames of step t by camera) after they are stored."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageLocation:
    """Where the frames of one episode are stored in a file.

    Attributes:
        episode: Has the number of frames and their size.
        group: Will hold one dataset per camera.
        names: Camera -> name of its dataset in the group, in the spec's order.
        metadata: Will hold checksums and lengths.
    """

    episode: Episode
    group: h5py.Group
    names: Mapping[str, str]
    metadata: h5py.Group


class ImageStorage(Protocol):
    """Stores the frames of one episode, step by step.

    Attributes:
        compress: The ACT file's attribute of that name: readers must decode JPEG.
    """

    compress: ClassVar[bool]

    def __init__(self, location: ImageLocation) -> None: ...

    def put(self, camera: str, t: int, frame: ImageArray) -> None:
        """Store a frame, shape (H, W, 3) uint8 RGB."""
        ...

    def finish(self) -> None:
        """Called after the last frame."""
        ...


class LosslessImages:
    """Per camera (T, H, W, 3) uint8, one frame a chunk, through HDF5's own gzip filter.

    HDF5 readers decode it transparently. Each compressed frame carries zlib's checksum.
    """

    compress: ClassVar[bool] = False
    filters: ClassVar[dict[str, object]] = {"compression": "gzip", "compression_opts": GZIP_LEVEL}

    def __init__(self, location: ImageLocation) -> None:
        shape = (*location.episode.spec.image_size, 3)
        options = {"dtype": np.uint8, "chunks": (1, *shape), "track_times": False, **self.filters}
        self._location = location
        self._datasets = {
            camera: location.group.create_dataset(name, (location.episode.steps, *shape), **options)
            for camera, name in location.names.items()
        }

    def put(self, camera: str, t: int, frame: ImageArray) -> None:
        # Compressed here and not by HDF5, which would copy the frame twice more.
        self._put_chunk(camera, t, zlib.compress(np.ascontiguousarray(frame).data, GZIP_LEVEL))

    def finish(self) -> None:
        pass

    def _put_chunk(self, camera: str, t: int, chunk: bytes) -> None:
        self._datasets[camera].id.write_direct_chunk((t, 0, 0, 0), chunk)


class RawImages(LosslessImages):
    """The same without the filter: 28 times the size, for code that must not spend time on decoding."""

    filters: ClassVar[dict[str, object]] = {}

    def __init__(self, location: ImageLocation) -> None:
        super().__init__(location)
        self._checksums: dict[str, list[int]] = {camera: [] for camera in location.names}

    def put(self, camera: str, t: int, frame: ImageArray) -> None:
        chunk = frame.tobytes()
        self._put_chunk(camera, t, chunk)
        self._checksums[camera].append(zlib.crc32(chunk))

    def finish(self) -> None:
        _write_checksums(self._location.metadata, self._checksums)


class JpegImages:
    """The padded layout of mobile-aloha: per camera (T, padded) uint8 of JPEG bytes, and /compress_len.

    The JPEGs have true colours: any decoder that returns RGB (Pillow, torchvision, browsers) returns what was
    rendered. cv2.imdecode returns BGR, so loaders that take its result as RGB need `BgrJpegImages`.

    The encoded bytes are held until the end, since all rows have the length of the longest. HDF5 compresses the rows,
    so padding takes no space.
    """

    compress: ClassVar[bool] = True
    bgr: ClassVar[bool] = False

    def __init__(self, location: ImageLocation) -> None:
        self._location = location
        self._encoded: dict[str, list[bytes]] = {camera: [] for camera in location.names}

    def put(self, camera: str, t: int, frame: ImageArray) -> None:
        self._encoded[camera].append(encode_jpeg(frame[..., ::-1] if self.bgr else frame))

    def finish(self) -> None:
        lengths = np.array([[len(jpeg) for jpeg in jpegs] for jpegs in self._encoded.values()], np.float32)
        padded = int(lengths.max(initial=1))
        checksums = {camera: self._write(camera, jpegs, padded) for camera, jpegs in self._encoded.items()}
        self._location.metadata.create_dataset(COMPRESS_LEN, data=lengths, track_times=False)
        if self.bgr:
            self._location.metadata.attrs[JPEG_BGR] = np.bool_(True)
        _write_checksums(self._location.metadata, checksums)

    def _write(self, camera: str, jpegs: list[bytes], padded: int) -> list[int]:
        """Write a camera's dataset; returns the checksums of its rows."""
        options = {"dtype": np.uint8, "chunks": (1, padded), "track_times": False, "compression": "gzip"}
        dataset = self._location.group.create_dataset(self._location.names[camera], (len(jpegs), padded), **options)
        checksums = []
        for t, jpeg in enumerate(jpegs):
            row = jpeg.ljust(padded, b"\0")
            dataset[t] = np.frombuffer(row, np.uint8)
            checksums.append(zlib.crc32(row))
        return checksums


class BgrJpegImages(JpegImages):
    """The same with red and blue swapped in the JPEGs, as mobile-aloha's recorder writes them.

    It passes RGB to cv2.imencode, which expects BGR, and its loader and act-plus-plus's take what cv2.imdecode returns
    as RGB, which is right for these files alone.
    """

    bgr: ClassVar[bool] = True


STORAGES: dict[str, type[ImageStorage]] = {
    "lossless": LosslessImages,
    "jpeg": JpegImages,
    "jpeg-bgr": BgrJpegImages,
    "raw": RawImages,
}


def storage_class(name: str) -> type[ImageStorage]:
    """The storage of this name.

    Raises:
        UnknownNameError: There is no such storage.
    """
    check_name("storage", name, STORAGES)
    return STORAGES[name]


def check_cameras(path: Path, episode: Episode, frames: Frames) -> None:
    """Raise DatasetError unless frames are given of exactly the spec's cameras."""
    expected = episode.spec.cameras
    if set(frames) != set(expected):
        problem = f"{path}: got frames of the cameras {sorted(frames)}, expected {list(expected)} as in its spec."
        raise DatasetError(problem, path=path, got=tuple(frames), expected=expected)


def store_frames(
    path: Path,
    episode: Episode,
    frames: Frames,
    storage: ImageStorage,
    sink: Hdf5Sink,
    *,
    bottom_up: bool = False,
    on_step: OnStep | None = None,
) -> None:
    """Store the frames of an episode, frame t of every camera in the spec's order, then t + 1.

    Generators that render on demand load each state once, and no more than one step is held. A full disk ends the loop
    before more is rendered.

    Raises:
        DatasetError: Frames are missing, too many or of the wrong shape.
        OSError: The file cannot be written.
    """
    for t, step in enumerate(_steps(path, episode, frames)):
        for camera, frame in step.items():
            storage.put(camera, t, frame[::-1] if bottom_up else frame)
        sink.raise_error()
        if on_step is not None:
            on_step(t, step)
    storage.finish()


def encode_jpeg(frame: ImageArray) -> bytes:
    """A frame (H, W, 3) uint8 RGB as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(frame)).save(
        buffer, "jpeg", quality=JPEG_QUALITY, subsampling=FULL_COLOUR, optimize=True
    )
    return buffer.getvalue()


def decode_jpeg(data: ImageArray, image_size: tuple[int, int]) -> ImageArray:
    """JPEG bytes, with or without padding, as (H, W, 3) uint8 RGB.

    Raises:
        ValueError: Another size than `image_size` or not RGB. Pillow raises more when the bytes are damaged.
    """
    with Image.open(io.BytesIO(data.tobytes()), formats=("jpeg",)) as image:
        if image.size != image_size[::-1] or image.mode != "RGB":  # before decoding: a damaged size may be huge
            raise ValueError(f"a {image.mode} image of {image.size[1]} x {image.size[0]}, expected {image_size}")
        return np.array(image)


def _steps(path: Path, episode: Episode, frames: Frames) -> Iterator[dict[str, ImageArray]]:
    sources = {camera: iter(frames[camera]) for camera in episode.spec.cameras}
    for t in range(episode.steps):
        yield {camera: _next_frame(path, episode, camera, t, source) for camera, source in sources.items()}
    for camera, source in sources.items():
        if next(source, None) is not None:
            problem = f"{path}, camera {camera!r}: got more than {episode.steps} frames for {episode.steps} actions."
            hint = "Give one frame per action, taken before it, and none for the last state."
            raise DatasetError(problem, hint, path=path, camera=camera, expected=episode.steps)


def _next_frame(path: Path, episode: Episode, camera: str, t: int, source: Iterator[ImageArray]) -> ImageArray:
    frame = next(source, None)
    expected = (*episode.spec.image_size, 3)
    if frame is None or frame.shape != expected or frame.dtype != np.uint8:
        got = "no frame" if frame is None else f"{frame.dtype} of shape {frame.shape}"
        problem = f"{path}, camera {camera!r}, step {t}: got {got}, expected uint8 of shape {expected}."
        hint = "Give one frame per action, in the size of the episode's spec."
        raise DatasetError(problem, hint, path=path, camera=camera, step=t, got=got, expected=expected)
    return frame


def _write_checksums(metadata: h5py.Group, checksums: dict[str, list[int]]) -> None:
    """CRC-32 of each frame as stored, (cameras, T), for storages without checksums of their own."""
    metadata.create_dataset(IMAGE_CRC32, data=np.array(list(checksums.values()), np.uint32), track_times=False)
