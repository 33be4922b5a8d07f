"""Measurements: success rates of policies, paired comparisons, and speed. `evaluation/` runs the episodes."""

if __name__ != "ambidex.benchmarks":
    raise ImportError(
        f"This folder is the package 'ambidex.benchmarks' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )

# Up to version 0.1 the programs in these folders were run as `python -m ambidex.benchmarks.NAME`, which still works.
__path__ += [f"{path}/{folder}" for path in list(__path__) for folder in ("speed", "studies", "codes")]
