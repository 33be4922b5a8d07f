"""Measurements: success rates of policies, comparisons of them, and how fast everything is."""

if __name__ != "ambidex.benchmarks":
    raise ImportError(
        f"This folder is the package 'ambidex.benchmarks' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
