"""Which seeds are whose: training from 0, benchmarks from 100000, and they never meet."""

from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import UsageError


def number_among_its_kind(seed: int) -> int:
    """The seed, counted from the first training seed or from the first of benchmarks, whichever kind it is of."""
    return seed - FIRST_BENCHMARK_SEED if seed >= FIRST_BENCHMARK_SEED else seed


def check_training_seeds(first: int, count: int) -> None:
    """Refuse seeds first .. first + count - 1 unless all are for training.

    Raises:
        UsageError: A seed is negative, or one of benchmarks.
    """
    if first < 0:
        raise UsageError(f"First seed {first} is negative. Training seeds are 0 to {FIRST_BENCHMARK_SEED - 1}.")
    last = first + count - 1
    if last >= FIRST_BENCHMARK_SEED:
        raise UsageError(
            f"Seeds {first} to {last} would be attempted, but training seeds end at {FIRST_BENCHMARK_SEED - 1}: later "
            "ones are for benchmarks, so that no policy is tested on a start it was trained on. Use a lower --seed, or "
            "fewer --num-episodes or --max-attempts."
        )
