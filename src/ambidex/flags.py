"""Types of command-line flags that commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import tyro
from tyro.constructors import PrimitiveConstructorSpec

Value = TypeVar("Value")
AUTO = "auto"


def _spec(
    metavar: str, nargs: int | str, parse: Callable[[list[str]], Value]
) -> PrimitiveConstructorSpec[Value | None]:
    """How a flag reads its words; "auto" is None, a default that depends on other flags."""
    return PrimitiveConstructorSpec(
        nargs=nargs,  # type: ignore[arg-type]  # "*" or a number
        metavar=metavar,
        instance_from_str=lambda words: None if words == [AUTO] else parse(words),
        is_instance=lambda value: True,
        str_from_instance=_words,
    )


def _words(value: Value | None) -> list[str]:
    if value is None:
        return [AUTO]
    return [str(word) for word in value] if isinstance(value, tuple) else [str(value)]


def _integers(words: list[str]) -> tuple[int, int]:
    height, width = words
    return int(height), int(width)


def _names(words: list[str]) -> tuple[str, ...]:
    if not words:
        raise ValueError("expected one name or more, or 'none'")
    if "none" in words and len(words) > 1:
        raise ValueError("'none' stands alone")
    return () if words == ["none"] else tuple(words)


Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""Off unless given."""

OptionalInt = Annotated[int | None, _spec("INT", 1, lambda words: int(words[0]))]
"""A whole number; None unless given."""

OptionalName = Annotated[str | None, _spec("NAME", 1, lambda words: words[0])]
"""A name; None unless given."""

OptionalPath = Annotated[Path | None, _spec("PATH", 1, lambda words: Path(words[0]))]
"""A file or folder; None unless given."""

ImageSize = Annotated[tuple[int, int] | None, _spec("H W", 2, _integers)]
"""Height and width [px]; None unless given."""

Names = Annotated[tuple[str, ...] | None, _spec("NAME ...|none", "*", _names)]
"""Names; empty for the word "none"; None unless given."""
