"""Which checkpoint a benchmark took, in words."""

from pathlib import Path

from ambidex.policies.run_folder import CHECKPOINTS, LAST, RUNS


def checkpoint_words(asked: Path | None, found: Path, policy: str) -> str:
    """One sentence.

    Args:
        asked: What --checkpoint named; None for the newest run.
        found: The folder of the checkpoint, links followed.
        policy: Its kind.
    """
    if asked is None:
        return f"The checkpoint is {found}, the last one of the newest run of {policy} under {RUNS}/."
    if asked.resolve() == found and asked.name != LAST:
        return f"The checkpoint is {found}."
    last_of = found.parent.parent if found.parent.name == CHECKPOINTS else asked
    return f"The checkpoint is {found}, the last one of {last_of}."
