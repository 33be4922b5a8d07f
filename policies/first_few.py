"""Long lists in messages."""

from collections.abc import Sequence

SHOWN = 3


def first_few(parts: Sequence[str]) -> str:
    """The first three, and how many more there are: "a; b; c and 52 more"."""
    more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more
