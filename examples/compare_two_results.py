"""Compare two policies on the same initial states: which one is better, and how certain is that?

    python examples/compare_two_results.py [OUT]

Here the scripted expert against random actions. docs/statistics.md explains every number.
"""

import sys
from pathlib import Path

import ambidex


def main(out: Path) -> None:
    for policy in ("scripted", "random"):
        ambidex.benchmark(
            ambidex.BenchmarkConfig(
                policy=policy,
                task="insertion",
                episodes=8,
                video="none",
                output_dir=out / policy,
                resume=True,
                quiet=True,
            )
        )
    # One comparison for every two folders. Give more, and p-values are corrected for the number of comparisons.
    (comparison,) = ambidex.compare(ambidex.CompareConfig(results=(out / "scripted", out / "random")))
    print(comparison)
    statistics = comparison.together
    counts = statistics.counts
    print(f"solved by both {counts.both}, only the expert {counts.only_a}, only random {counts.only_b}")
    low, high = statistics.difference_interval
    print(f"difference {counts.difference:+.2f}, 95 % interval {low:+.2f} to {high:+.2f}, p = {statistics.exact_p:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/compare_two_results"))
