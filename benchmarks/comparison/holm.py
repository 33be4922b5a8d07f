"""Holm's correction: p-values of several tests, of which hardly any may be wrong."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrected p-values, in the order given.

    If those up to 0.05 are called significant, the chance of even one false call is at most 5 %, however the tests
    depend on each other.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).

    Raises:
        ValueError: A p-value is not within 0..1.
    """
    values = np.asarray(p_values, dtype=float)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"p-values {list(p_values)}: expected numbers within 0..1.")
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * values[order]))
    return [float(value) for value in corrected]
