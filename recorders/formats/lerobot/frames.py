"""Frames of one episode in mp4 files, or as PNG in a table: random access to any of them."""

import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from ambidex.envs.types import ImageArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.hdf5.reading import reading

TOLERANCE_S = 1e-4  # between the time of a frame and the wanted one, as in LeRobot [s]
AHEAD = 8  # frames that are rather decoded than skipped


class FrameSource(Protocol):
    """The frames of one camera of an episode.

    Attributes:
        file: The file that has them.
        place: Where they are, for messages.
    """

    file: Path
    place: str

    def check(self) -> None:
        """Raise DatasetError unless the file exists."""
        ...

    def has_checksums(self) -> bool:
        """Whether damage would be noticed."""
        ...

    def read(self, t: int, size: tuple[int, int]) -> ImageArray:
        """Frame t; raises what decoding raises."""
        ...

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        ...


class LeRobotFrames:
    """The frames of an episode of a LeRobot dataset.

    Args:
        sources: Camera -> its frames, in the spec's order.
        storage: How they are stored.
        episode: Name of the episode, for messages.
    """

    def __init__(self, sources: Mapping[str, FrameSource], storage: str, episode: str) -> None:
        self._sources, self.storage, self._episode = sources, storage, episode
        self.places = {camera: source.place for camera, source in sources.items()}

    def check(self, path: Path, steps: int, size: tuple[int, int]) -> None:
        for source in self._sources.values():
            source.check()

    def has_checksums(self, camera: str) -> bool:
        return self._sources[camera].has_checksums()

    def read(self, camera: str, t: int, size: tuple[int, int]) -> ImageArray:
        source = self._sources[camera]
        with reading(source.file, f"frame {t} of {self._episode}"):
            return source.read(t, size)

    def close(self) -> None:
        """Close all files. Safe to call twice."""
        for source in self._sources.values():
            source.close()


class VideoFrames:
    """Frames in an mp4 file, which is opened with the first and decoded from the nearest keyframe.

    Args:
        path: The file.
        fps: Frames per second [1/s].
        start_s: Time of the episode's first frame in the file [s].
        checksums: CRC-32 of each encoded frame, shape (T,); None if there are none.
    """

    def __init__(
        self, path: Path, fps: float, start_s: float = 0.0, checksums: npt.NDArray[np.uint32] | None = None
    ) -> None:
        self.file, self.place = path, str(path)
        self._fps, self._start_s, self._checksums = fps, start_s, checksums
        self._container: av.container.InputContainer | None = None
        self._decoded: Iterator[av.VideoFrame] = iter(())
        self._next_s = 0.0  # from here to the next `AHEAD` frames nothing has to be skipped

    def check(self) -> None:
        if not self.file.is_file():
            raise DatasetError(f"{self.file} is missing.", repair_hint(self.file), path=self.file)

    def has_checksums(self) -> bool:
        return self._checksums is not None

    def read(self, t: int, size: tuple[int, int]) -> ImageArray:
        wanted_s = self._start_s + t / self._fps
        try:
            frame = self._frame(wanted_s, size)
        except BaseException:
            self.close()  # the decoder may be in any state
            raise
        self._next_s = wanted_s + 1 / self._fps
        return np.ascontiguousarray(frame.to_ndarray(format="rgb24"))

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container, self._decoded = None, iter(())

    def _frame(self, wanted_s: float, size: tuple[int, int]) -> av.VideoFrame:
        if self._container is None:
            self._open(size)
            self._seek(wanted_s)
        elif not -TOLERANCE_S <= wanted_s - self._next_s <= AHEAD / self._fps:
            self._seek(wanted_s)
        for frame in self._decoded:
            if frame.time is not None and frame.time >= wanted_s - TOLERANCE_S:
                if frame.time > wanted_s + TOLERANCE_S:
                    break
                return frame
        raise ValueError(f"the video has no frame at {wanted_s:.4f} s")

    def _open(self, size: tuple[int, int]) -> None:
        self._container = av.open(str(self.file), format="mp4")
        self._stream = self._container.streams.video[0]
        context = self._stream.codec_context
        context.thread_count = 1
        if (context.height, context.width) != size:
            raise ValueError(f"images of {context.height} x {context.width}, expected {size}")

    def _seek(self, wanted_s: float) -> None:
        assert self._container is not None
        time_base = float(self._stream.time_base or 1)
        self._container.seek(round(wanted_s / time_base), stream=self._stream, backward=True)
        self._decoded = self._packets(self._container)

    def _packets(self, container: "av.container.InputContainer") -> Iterator[av.VideoFrame]:
        for packet in container.demux(self._stream):
            t = frame_number(packet, self._fps)
            if t is not None and not self._is_intact(packet, t):
                raise ValueError(f"the checksum of frame {t} differs")
            yield from packet.decode()

    def _is_intact(self, packet: "av.Packet[av.VideoStream]", t: int) -> bool:
        checksums = self._checksums
        return checksums is None or (0 <= t < len(checksums) and zlib.crc32(packet) == checksums[t])


class PngFrames:
    """Frames of one camera as whole PNG files.

    Args:
        file: The table that has them.
        key: Its column.
        load: Reads the T files, when the first is wanted.
    """

    def __init__(self, file: Path, key: str, load: Callable[[], Sequence[bytes]]) -> None:
        self.file, self.place, self._load = file, f"{file}, column {key}", load
        self._images: Sequence[bytes] = ()

    def check(self) -> None:
        """They are in a file that has been opened."""

    def has_checksums(self) -> bool:
        return True  # PNG has its own

    def read(self, t: int, size: tuple[int, int]) -> ImageArray:
        self._images = self._images or self._load()
        with Image.open(io.BytesIO(self._images[t])) as image:
            if image.size != size[::-1]:  # before decoding: a damaged size may be huge
                raise ValueError(f"an image of {image.size[1]} x {image.size[0]}, expected {size}")
            return np.array(image.convert("RGB"))

    def close(self) -> None:
        self._images = ()


def frame_number(packet: "av.Packet[av.VideoStream]", fps: float) -> int | None:
    """Which frame of a video an encoded one is; None for the packet that ends a video."""
    return None if packet.pts is None else round(packet.pts * float(packet.time_base) * fps)


def encoded_checksums(path: Path, fps: float) -> npt.NDArray[np.uint32]:
    """CRC-32 of each encoded frame of a video, shape (T,)."""
    with av.open(str(path), format="mp4") as container:
        checksums = {frame_number(packet, fps): zlib.crc32(packet) for packet in container.demux(video=0)}
    checksums.pop(None, None)
    return np.array([checksums[t] for t in range(len(checksums))], np.uint32)
