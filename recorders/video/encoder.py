"""Encodes RGB images as a video stream in an MP4 file."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace

from ambidex.envs.types import ImageArray

# One thread, because with more the bits depend on their number. No macroblock tree, because x264's reads uninitialised
# memory: about one small video in twenty came out with other bits.
X264 = {"preset": "veryfast", "threads": "1", "mbtree": "0"}
CONTAINER = {"movflags": "+faststart"}  # a browser can play while it loads
SCALE = "out_color_matrix=bt709:out_range=tv:flags=bilinear"  # the colours that the file declares


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How a video is encoded.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: Its options.
        keyframe_interval: Every so many frames one can be decoded alone; None leaves it to the encoder.
    """

    codec: str
    options: Mapping[str, str]
    keyframe_interval: int | None = None


H264 = Encoding(codec="libx264", options={"crf": "20", **X264})


class VideoFile:
    """Encodes images of one size with even sides [px] at a rate [1/s]: draw into `image`, then `add` it.

    Attributes:
        image: Shape (height, width, 3) uint8 RGB; the encoder's own memory, which saves a copy.

    Raises:
        OSError: The file cannot be written; all methods but `abandon` raise it too.
    """

    def __init__(self, path: Path, rate: Fraction, height: int, width: int, encoding: Encoding = H264) -> None:
        self._container = av.open(str(path), "w", format="mp4", options=CONTAINER)
        stream = self._container.add_stream(encoding.codec, rate=rate, options=dict(encoding.options))
        self._stream = cast("av.VideoStream", stream)
        if encoding.keyframe_interval is not None:
            self._stream.codec_context.gop_size = encoding.keyframe_interval
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, "yuv420p"
        # Declared in the file, or players guess by the size and shift the colours.
        self._stream.codec_context.colorspace = self._stream.codec_context.color_primaries = Colorspace.ITU709
        self._stream.codec_context.color_trc = Colorspace.ITU709
        self._stream.codec_context.color_range = ColorRange.MPEG
        self._frame = av.VideoFrame(width, height, "rgb24")
        self._yuv = YuvConverter(height, width, rate)
        self._count = 0
        rows = np.frombuffer(memoryview(self._frame.planes[0]), np.uint8).reshape(
            height, self._frame.planes[0].line_size
        )
        self.image: ImageArray = rows[:, : 3 * width].reshape(height, width, 3)
        self.image[:] = 0

    def add(self) -> None:
        """Encode `image` as it is now."""
        self._frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(self._yuv.convert(self._frame)))

    def finish(self) -> None:
        """Write what the encoder still holds, and close."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close without finishing; the file cannot be used."""
        with suppress(OSError, ValueError):
            self._container.close()


class YuvConverter:
    """Converts RGB frames of one size [px] and rate [1/s] into YUV frames (4:2:0, BT.709, limited range).

    A filter graph and not av.VideoFrame.reformat, because a graph has a pool of frames and uses them again, and
    reformat allocates each one anew. After a step the malloc of glibc 2.36 often gave its block to something smaller,
    and the next frame needed new memory: a worker with three cameras grew by 1.5 MB a step, up to 0.9 GB.
    """

    def __init__(self, height: int, width: int, rate: Fraction) -> None:
        self._graph = Graph()
        self._graph.threads = 1
        rgb = av.VideoFormat("rgb24")
        nodes = (
            self._graph.add_buffer(width=width, height=height, format=rgb, time_base=1 / rate),
            self._graph.add("scale", SCALE),
            self._graph.add("format", "pix_fmts=yuv420p"),
            self._graph.add("buffersink"),
        )
        self._graph.link_nodes(*nodes).configure()

    def convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame (rgb24) in YUV, with its time. Drop it before converting the next, so that its memory is reused."""
        self._graph.vpush(frame)
        return self._graph.vpull()
