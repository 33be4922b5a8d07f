"""Finding things: by name in a table of "module:attribute" strings, and by number in a sequence."""

import operator
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TypeVar

from ambidex.errors import check_name

Item = TypeVar("Item")


def resolve(kind: str, name: str, table: Mapping[str, str]) -> object:
    """The object of a name in a table of "module:attribute" strings; `kind` says what is named, e.g. "task".

    Raises:
        UnknownNameError: No such name; the message says what exists.
    """
    check_name(kind, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)


def item_at(items: Sequence[Item], index: int, owner: object, kind: str = "episode") -> Item:
    """An item by its number; negative numbers count from the end.

    Raises:
        IndexError: No such item; the message says what `owner` has.
        TypeError: The index is not an integer.
    """
    try:
        number = operator.index(index)
        return items[number]
    except IndexError:
        raise IndexError(f"{owner!r} has no {kind} {number}: it has {len(items)}, numbered from 0.") from None
    except TypeError:
        raise TypeError(f"{owner!r} is indexed by one integer, the number of the {kind}, not by {index!r}.") from None
