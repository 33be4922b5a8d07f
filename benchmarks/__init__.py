"""Measurements: success rates of policies, paired comparisons, and speed. `evaluation/` runs the episodes."""

from importlib import import_module
from typing import TYPE_CHECKING

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

# Up to version 0.1 the programs in these folders were run as `python -m ambidex.benchmarks.NAME`, which still works.
__path__ += [f"{path}/{folder}" for path in list(__path__) for folder in ("speed", "studies", "codes")]

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
