"""The flags of `compare-policies`."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from ambidex.flags import OptionalPath, Switch


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Say which of several benchmarked policies is better, from episodes that began alike.

    Compares every two of the folders on the (task, seed) pairs that both hold: exact McNemar test, with Holm's
    correction when there are several tests; a sequential test that stays valid when you look after every episode; the
    difference of the success rates with its 95 % interval; and how many more episodes a given difference would need.
    Episodes that broke count as not successful.
    """

    results: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Two results folders of run-benchmark or more."""
    difference: float = 0.1
    """True difference of success rates that a longer benchmark should find, 0.01 to 1 (0.1 is 10 points)."""
    power: float = 0.8
    """Probability with which it should find it, 0.5 to 0.99."""
    json: OptionalPath = None
    """Write everything to this JSON file too."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""
