"""Finding things: by name in a table of "module:attribute" strings, and by number in a sequence."""

import operator
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ambidex.errors import AmbidexError, check_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Item = TypeVar("Item")


class Registry(MutableMapping[str, str]):
    """A table of "module:attribute" strings: the project's own, then those that installed distributions register.

    Those are the distributions' entry points of one group. They are read when all names are listed, or one is looked up
    that is not the project's own; so a distribution cannot replace what the project has.

    Args:
        own: The project's own.
        group: Group of the entry points.
        attribute: What to take from an entry point's module instead of what the entry point names.
    """

    def __init__(self, own: Mapping[str, str], group: str, attribute: str = "") -> None:
        self.own, self.group, self._attribute = dict(own), group, attribute

    def __getitem__(self, name: str) -> str:
        if name in self.own:
            return self.own[name]
        module, _, attribute = self._registered()[name].value.partition(":")
        return f"{module}:{self._attribute or attribute}"

    def __setitem__(self, name: str, address: str) -> None:
        self.own[name] = address

    def __delitem__(self, name: str) -> None:
        del self.own[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.own, *self._registered()]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def distribution(self, name: str) -> str:
        """The distribution that registers a name, with its version; empty for the project's own."""
        return "" if name in self.own else _distribution(self._registered()[name])

    def _registered(self) -> "Mapping[str, EntryPoint]":
        found: dict[str, EntryPoint] = {}
        for each in _entry_points(self.group, _installations()):
            other = found.setdefault(each.name, each)
            if other.value != each.value:
                owners = f"{_distribution(other)} and {_distribution(each)}"
                problem = f"{owners} both register {each.name!r} as an entry point of {self.group}."
                raise AmbidexError(problem, "Uninstall one of them.", name=each.name, group=self.group)
        return found


def _installations() -> tuple[tuple[str, int], ...]:
    """The folders of sys.path with the times [ns] at which something was last installed there."""
    return tuple((folder, Path(folder).stat().st_mtime_ns) for folder in sys.path if Path(folder).is_dir())


@lru_cache(maxsize=8)
def _entry_points(group: str, installations: tuple[tuple[str, int], ...]) -> "tuple[EntryPoint, ...]":
    """The entry points of a group: all installed distributions are read, which takes 10 ms and more."""
    from importlib.metadata import entry_points  # slow to import

    return tuple(entry_points(group=group))


def _distribution(entry_point: "EntryPoint") -> str:
    dist = entry_point.dist
    return f"{dist.name} {dist.version}" if dist else "an unknown distribution"


def resolve(kind: str, name: str, table: Mapping[str, str]) -> object:
    """The object of a name in a table of "module:attribute" strings; `kind` says what is named, e.g. "task".

    Raises:
        UnknownNameError: No such name; the message says what exists.
        AmbidexError: An installed distribution registers it, and it cannot be imported.
    """
    check_name(kind, name, table)
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        owner = table.distribution(name) if isinstance(table, Registry) else ""
        if not owner:
            raise
        cause = f"{type(error).__name__}: {error}".rstrip(": .")
        problem = f"The {kind} {name!r} of the distribution {owner} cannot be loaded from {table[name]} ({cause})."
        raise AmbidexError(problem, "Correct or uninstall that distribution.", name=name, distribution=owner) from error


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
