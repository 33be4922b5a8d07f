"""HTTP ranges: a browser that seeks in a video asks for a part of it."""

import re

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class RangeNotSatisfiableError(ValueError):
    """Nothing of what was asked for is in the file."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte to send, or None for all, as RFC 9110 section 14 has it.

    Args:
        header: The request's Range header, if it has one. What is no single range of bytes counts as none.
        size: Of the file [B].

    Raises:
        RangeNotSatisfiableError: The range lies beyond the end.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many bytes
        first, last = max(0, size - int(match[2])), size - 1
        beyond = int(match[2]) == 0 or size == 0
    else:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if match[2] and int(match[2]) < first:
            return None
        beyond = first >= size
    if beyond:
        raise RangeNotSatisfiableError(f"{header} of {size} bytes")
    return first, last
