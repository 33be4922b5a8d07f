"""Motions with a thing in the hand."""

from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.workplace import Workplace

LOST = 4  # steps on end without touch, after which a thing is lost


def carried(work: Workplace, thing: str, motion: Motion) -> Motion:
    """The same motion, which ends at once when the thing is no longer between the fingers; true if it still is."""
    missing = 0
    for _ in motion:
        yield
        missing = 0 if work.held(thing) else missing + 1
        if missing >= LOST:
            return False
    return work.held(thing)
