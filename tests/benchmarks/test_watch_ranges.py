import pytest

from ambidex.benchmarks.gallery.server.http_server import RangeNotSatisfiableError, byte_range

SIZE = 1000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", (0, 999)),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=990-5000", (990, 999)),
        ("bytes=-10", (990, 999)),
        ("bytes=-5000", (0, 999)),
        ("bytes=999-", (999, 999)),
        # What is no single range of bytes is to be ignored, says RFC 9110.
        ("bytes=-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
        ("bytes=a-b", None),
    ],
)
def test_what_is_sent(header, expected):
    assert byte_range(header, SIZE) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_beyond_the_end_there_is_nothing(header):
    with pytest.raises(RangeNotSatisfiableError):
        byte_range(header, SIZE)


def test_an_empty_file_has_no_part():
    assert byte_range(None, 0) is None
    with pytest.raises(RangeNotSatisfiableError):
        byte_range("bytes=0-", 0)
