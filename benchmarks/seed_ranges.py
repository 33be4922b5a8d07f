"""Which episodes, in few words."""

from collections.abc import Iterable


def in_ranges(keys: Iterable[tuple[str, int]]) -> str:
    """Seeds by task, runs of them shortened: "insertion 100000 to 100049, 100060; transfer_cube 100000".

    Args:
        keys: Tasks and seeds, in any order.
    """
    seeds: dict[str, list[int]] = {}
    for task, seed in sorted(keys):
        seeds.setdefault(task, []).append(seed)
    return "; ".join(f"{task} {', '.join(_runs(found))}" for task, found in seeds.items())


def _runs(seeds: list[int]) -> list[str]:
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1][1:] = [seed]
        else:
            runs.append([seed])
    return [" to ".join(map(str, run)) for run in runs]
