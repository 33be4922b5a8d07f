"""The flags of `compare-policies`, which are also the arguments of `compare`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tyro

from ambidex.flags import Flags, OptionalPath, Switch, readable_signature


@readable_signature
@dataclass(frozen=True, kw_only=True)
class CompareConfig(Flags):
    """Find out which of several benchmarked policies is better, from episodes with the same initial states.

    Compares every two folders on the (task, seed) pairs that both have: exact McNemar test, with Holm's correction when
    there are several tests; a sequential test that stays valid if you look at results after every episode; the
    difference of the success rates with its 95 % interval; and how many more episodes it would take to detect a given
    difference. Episodes with an error count as not successful.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "results difference power json",
        "Output": "quiet debug",
    }

    results: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Two or more results folders of run-benchmark or evaluate-robot."""
    difference: float = 0.1
    """True difference of success rates that a longer benchmark should detect, 0.01 to 1 (0.1 is 10 points)."""
    power: float = 0.8
    """Probability of detecting it, 0.5 to 0.99."""
    json: OptionalPath = None
    """Also write everything to this JSON file."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Print tracebacks."""
