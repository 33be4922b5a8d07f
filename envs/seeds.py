"""Training seeds are 0 to 99999, benchmark seeds start at 100000."""

from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import UsageError


def index_in_split(seed: int) -> int:
    """Position of a seed among the training seeds or among the benchmark seeds, from 0."""
    return seed - FIRST_BENCHMARK_SEED if seed >= FIRST_BENCHMARK_SEED else seed


def check_training_seeds(first: int, count: int) -> None:
    """Check that seeds first to first + count - 1 are training seeds.

    Raises:
        UsageError: A seed is negative, or a benchmark seed.
    """
    if first < 0:
        raise UsageError(
            f"First seed {first} is negative.", f"Training seeds are 0 to {FIRST_BENCHMARK_SEED - 1}.", seed=first
        )
    last = first + count - 1
    if last >= FIRST_BENCHMARK_SEED:
        raise UsageError(
            f"Seeds {first} to {last} would be attempted, but training seeds end at {FIRST_BENCHMARK_SEED - 1}; later "
            "ones are for benchmarks.",
            "Use a lower --seed, or fewer --num-episodes or --max-attempts.",
            seed=first,
            last=last,
        )
