"""The conversion of RGB frames to YUV."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from ambidex.recorders.video.encoder import YuvConverter

RATE = Fraction(50)


def rgb(height, width, t=0):
    frame = av.VideoFrame.from_ndarray(np.random.default_rng(t).integers(0, 256, (height, width, 3), np.uint8))
    frame.pts = t
    return frame


def test_the_memory_of_a_frame_is_reused():
    yuv, addresses, in_the_way = YuvConverter(512, 1920, RATE), set(), []
    for t in range(20):
        frame = yuv.convert(rgb(512, 1920, t))
        addresses.add(frame.planes[0].buffer_ptr)
        del frame
        in_the_way.append(av.VideoFrame(1440, 480, "yuv420p"))  # would take the place of a frame that was freed
    assert len(addresses) <= 2


@pytest.mark.parametrize("size", [(48, 64), (34, 162), (510, 1920)])
def test_frames_equal_those_of_ffmpegs_conversion_to_bt709(size):
    frame = rgb(*size)
    options = {"format": "yuv420p", "dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
    expected = VideoReformatter().reformat(frame, **options)
    assert np.array_equal(YuvConverter(*size, RATE).convert(frame).to_ndarray(), expected.to_ndarray())


def test_frames_keep_their_time():
    yuv = YuvConverter(48, 64, RATE)
    frames = [yuv.convert(rgb(48, 64, t)) for t in range(3)]
    assert [frame.pts * frame.time_base for frame in frames] == [0, Fraction(1, 50), Fraction(2, 50)]
