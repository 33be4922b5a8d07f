"""Programs that measure speed, and the parts of `python -m ambidex.benchmarks.throughput`."""
