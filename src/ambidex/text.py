"""Tables for the terminal."""

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest entry, the header underlined."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


# FOLDED recorders.counted: A number of things in words.


def counted(number: int, noun: str) -> str:
    """Such as "1 episode" and "2 episodes"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


# FOLDED policies.first_few: Long lists in messages.

SHOWN = 3


def first_few(parts: Sequence[str]) -> str:
    """The first three, and how many more there are: "a; b; c and 52 more"."""
    more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more
