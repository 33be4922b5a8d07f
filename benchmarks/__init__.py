"""Measurements: success rates of policies, paired comparisons, and speed. `evaluation/` runs the episodes."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from ambidex.benchmarks.moved_programs import OldAddresses

if TYPE_CHECKING:
    from ambidex.benchmarks.comparison.compare import compare
    from ambidex.benchmarks.comparison.config import CompareConfig
    from ambidex.benchmarks.evaluation.benchmark import benchmark
    from ambidex.benchmarks.evaluation.config import BenchmarkConfig

if __name__ != "ambidex.benchmarks":
    raise ImportError(
        f"This folder is the package 'ambidex.benchmarks' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )

__all__ = ["BenchmarkConfig", "CompareConfig", "benchmark", "compare"]

sys.meta_path.append(OldAddresses())

_MODULES = {
    "BenchmarkConfig": "evaluation.config",
    "CompareConfig": "comparison.config",
    "benchmark": "evaluation.benchmark",
    "compare": "comparison.compare",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:  # when first used: the functions import the simulator and SciPy
        return getattr(import_module(f"ambidex.benchmarks.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'ambidex.benchmarks' has no attribute {name!r}")
