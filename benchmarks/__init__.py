"""Measurements: success rates of policies, comparisons of them, and how fast everything is."""

if __name__ != "ambidex.benchmarks":
    raise ImportError(
        f"This folder is the package 'ambidex.benchmarks' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )

# Up to 0.1 the programs of these folders were run as `python -m ambidex.benchmarks.NAME`, which goes on working.
__path__ += [f"{folder}/{room}" for folder in list(__path__) for room in ("speed", "studies", "codes")]
