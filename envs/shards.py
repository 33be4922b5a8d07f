"""Shards of a list of work: parts that several processes or machines do, each without knowing of the others."""

import random
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from ambidex.errors import UsageError
from ambidex.text import first_few, pluralize

ORDER_SEED = 0  # of the shuffle that deals items to shards; another one would make old and new shards overlap

Item = TypeVar("Item")
Owner = TypeVar("Owner")


@dataclass(frozen=True)
class Shard:
    """One of several shards of a list of work, written as I/N.

    Items are dealt out one by one after a shuffle, so that a shard is a mixture of all tasks. The shuffle depends on
    the number of items alone. The shards of a list are disjoint, cover it, and differ in size by one item at most.

    Attributes:
        index: Which one, 1 to `count`.
        count: Number of shards.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard that a text such as "3/16" names.

        Raises:
            UsageError: Not two positive integers I/N with I <= N.
        """
        match = re.fullmatch(r"0*([1-9][0-9]{0,8})/0*([1-9][0-9]{0,8})", text, re.ASCII)
        if match and int(match[1]) <= int(match[2]):
            return cls(int(match[1]), int(match[2]))
        problem = f"--shard {text}: expected I/N, shard I of N, with I from 1 to N."
        raise UsageError(problem, "For example: --shard 3/16.", got=text, expected="I/N")

    def __str__(self) -> str:
        """As `parse` takes it."""
        return f"{self.index}/{self.count}"

    @property
    def position(self) -> str:
        """For sentences, such as "3 of 16"."""
        return f"{self.index} of {self.count}"

    @property
    def label(self) -> str:
        """For names of folders, such as "shard-3-of-16"."""
        return f"shard-{self.index}-of-{self.count}"

    def check(self, number: int, noun: str) -> None:
        """Check that no shard of a list of `number` items is empty; `noun` is what an item is, such as "episode".

        Raises:
            UsageError: There are more shards than items.
        """
        if self.count > number:
            problem = f"--shard {self}: there are more shards than {noun}s ({number})."
            hint = f"Use at most {pluralize(number, 'shard')}."
            raise UsageError(problem, hint, field="shard", got=str(self), expected=number)

    def of(self, items: Sequence[Item]) -> list[Item]:
        """The items of this shard, in the order of `items`."""
        # Python promises the same numbers from random() in every version, but not from shuffle().
        generator = random.Random(ORDER_SEED)
        keys = [generator.random() for _ in items]
        shuffled = sorted(range(len(items)), key=keys.__getitem__)
        return [items[k] for k in sorted(shuffled[self.index - 1 :: self.count])]


def common_items(parts: Iterable[tuple[Owner, Collection[Item]]]) -> tuple[Owner, Owner, list[Item]] | None:
    """The first two parts of a list of work that have items in common, and these items; None if all are disjoint.

    Args:
        parts: What names a part, such as its folder, and its items.
    """
    owners: dict[Item, Owner] = {}
    for owner, items in parts:
        earlier = next((owners[item] for item in items if item in owners), None)
        if earlier is not None:
            return earlier, owner, [item for item in items if owners.get(item) == earlier]
        owners |= dict.fromkeys(items, owner)
    return None


def missing_shards(shards: Collection[Shard | None]) -> str:
    """Names those that are not among some shards, such as "Shard 2 of 3 is missing."; empty if all are there.

    Args:
        shards: Shards of one list; with None, which is a merged folder, it is not known which are missing.
    """
    found = {shard for shard in shards if shard}
    if None in shards or not found:
        return ""
    count = next(iter(found)).count
    missing = [str(index) for index in range(1, count + 1) if Shard(index, count) not in found]
    if not missing:
        return ""
    which, verb = ("Shard", "is") if len(missing) == 1 else ("Shards", "are")
    return f"{which} {first_few(missing, limit=10, separator=', ')} of {count} {verb} missing."
