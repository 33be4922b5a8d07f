"""Text for the terminal, for messages and for notebooks."""

import base64
import csv
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ambidex.errors import AmbidexError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]

Describe = Callable[[str, object, object], str]
"""Says how a value differs, from its name and both values."""
LARGEST_IMAGE = 320  # side of an image in a notebook [px]


def write_message(stream: TextIO | None, text: str) -> None:
    """Write and flush a message; if that fails, drop it and what follows: it must not end the work it is about.

    A stream of Python is None where the process was started without it.
    """
    try:
        if stream is not None:
            stream.write(text)
            stream.flush()
    except OSError:  # e.g. the disk of a log file is full
        discard(stream)


def discard(stream: TextIO | None) -> None:
    """Send what is buffered in a stream and everything later to the null device, also when the interpreter exits."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest entry, the header underlined."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values, a line each for the header and every row."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue()


def printable(text: str) -> str:
    """Text with control characters as escapes: a name from a file must not move the cursor or hide other text."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def first_line(text: str) -> str:
    """The text up to its first line break."""
    return text.partition("\n")[0]


def pluralize(number: int, noun: str) -> str:
    """Such as "1 episode" and "2 episodes"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def first_few(parts: Sequence[str], *, limit: int = 3, separator: str = "; ") -> str:
    """The first of them, and how many more there are: "a; b; c and 52 more"."""
    more = f" and {len(parts) - limit} more" if len(parts) > limit else ""
    return separator.join(parts[:limit]) + more


def was_now(name: str, old: object, new: object) -> str:
    """How a value has changed, such as "--seed was 0, now 5"."""
    return f"{name} was {old}, now {new}"


def in_folders(one: Path, other: Path) -> Describe:
    """Describes a value that differs between two folders, such as "--seed: 0 in A, 5 in B"."""
    return lambda name, first, second: f"{name}: {first} in {one}, {second} in {other}"


def html_card(title: str, facts: Mapping[str, object], images: Callable[[], "Mapping[str, Image]"]) -> str:
    """HTML for notebooks: a title, a table of facts and a row of images, or why they cannot be made.

    Args:
        title: First line.
        facts: Name -> what it is.
        images: Gives caption -> image (H, W, 3) uint8 RGB.
    """
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
    try:
        figures = "".join(_figure(caption, image) for caption, image in images().items())
    except AmbidexError as error:
        figures = f"<p>{escape(str(error))}</p>"
    return f"<div><b>{escape(title)}</b><table>{rows}</table>{figures}</div>"


def _figure(caption: str, image: "Image") -> str:
    from PIL.Image import fromarray  # not needed where there is no notebook

    small, content = fromarray(image), io.BytesIO()
    small.thumbnail((LARGEST_IMAGE, LARGEST_IMAGE))
    small.save(content, "PNG")
    data = base64.b64encode(content.getvalue()).decode()
    name = escape(caption)
    return (
        f"<figure style='display:inline-block;margin:4px'><img alt='{name}' src='data:image/png;base64,{data}'>"
        f"<figcaption>{name}</figcaption></figure>"
    )
