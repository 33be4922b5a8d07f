"""Checks by what a policy was sent that a perturbation reached it, and that nothing else changed."""

from collections.abc import Iterator

from ambidex.benchmarks.robustness.figures import CellFigure
from ambidex.envs.perturbations.registry import REGISTERED, Changes

IMAGES, STATE, INSTRUCTION = "images", "state", "instruction"
AT_START = {
    Changes.IMAGES: {IMAGES},
    Changes.OBSTACLES: {IMAGES},
    Changes.INSTRUCTION: {INSTRUCTION},
}
"""What an axis changes -> what differs in the first observation; for others nothing, or the initial state."""


def violations(figure: CellFigure) -> Iterator[str]:
    """What is wrong with the first requests of a cell, a sentence each; nothing if they are not stored.

    The names of the parts are those of the policies of ambidex; a policy on a server has names of its own, of which
    nothing is said either.
    """
    kinds = {part: _kind(part) for part in figure.sent}
    if not figure.sent or None in kinds.values():
        return
    _, changes = REGISTERED[figure.cell.axis]
    allowed = AT_START.get(changes, {IMAGES, STATE} if figure.changes_initial_states else set[str]())
    pairs = len(figure.pairs)
    for part, different in figure.sent.items():
        if different and kinds[part] not in allowed:
            yield f"{figure.cell}: {part} of the first request differs in {different} of {pairs} pairs, and should not."
    seen = [figure.sent[part] for part, kind in kinds.items() if kind in allowed]
    if seen and not any(seen):
        yield f"{figure.cell}: the first requests of all {pairs} pairs are the same, so nothing changed."


def _kind(part: str) -> str | None:
    if part.startswith("images."):
        return IMAGES
    return {"qpos": STATE, "objects": STATE, "instruction": INSTRUCTION}.get(part)
