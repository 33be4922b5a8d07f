"""RGB pictures as the encoder wants them."""

from fractions import Fraction

import av
from av.filter import Graph

# bt709 and tv: what the file says about its colours.
SCALE = "out_color_matrix=bt709:out_range=tv:flags=bilinear"


class YuvFrames:
    """Turns RGB frames of one size into YUV frames (4:2:0, BT.709, limited range).

    A filter graph and not av.VideoFrame.reformat, because a graph has a pool of frames and uses them again, and
    reformat allocates each one anew. After a step the malloc of glibc 2.36 often gave its block to something smaller,
    and the next frame needed new memory: a worker with three cameras grew by 1.5 MB a step, up to 0.9 GB.

    Args:
        height: Of a frame [px].
        width: Of a frame [px].
        rate: Frames per second [1/s].
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

    def of(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame (rgb24) in YUV, with its time. Drop it before asking for the next, and its memory is used again."""
        self._graph.vpush(frame)
        return self._graph.vpull()
