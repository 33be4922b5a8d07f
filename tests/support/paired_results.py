"""Hand-made results folders whose episodes are pairs, for tests of compare-policies."""

import json
from pathlib import Path

from results_folder import FIRST_SEED, make_row, write_results


def write_outcomes(
    folder: Path, outcomes, *, task="insertion", policy="act", first=FIRST_SEED, complete=True, **changes
):
    """One episode per letter, s(uccess), f(ailure) or e(rror), from seed `first`; a mapping is task -> letters."""
    named = {"s": "success", "f": "failure", "e": "error"}
    by_task = outcomes if isinstance(outcomes, dict) else {task: outcomes}
    rows = [
        make_row(name, first + i, named[letter], policy=policy)
        for name, letters in by_task.items()
        for i, letter in enumerate(letters)
    ]
    write_results(folder, rows, videos=False, **changes)
    tasks = {name: {"n": len(letters)} for name, letters in by_task.items()}
    (folder / "summary.json").write_text(json.dumps({"complete": complete, "tasks": tasks}))
    return folder


def paired(both, only_a, only_b, neither):
    """Letters for two folders with these counts, those in which one alone succeeded first and in turns."""
    turns = min(only_a, only_b)
    a = "sf" * turns + "s" * (only_a - turns) + "f" * (only_b - turns) + "s" * both + "f" * neither
    b = "fs" * turns + "f" * (only_a - turns) + "s" * (only_b - turns) + "s" * both + "f" * neither
    return a, b
