"""One thing to be done."""

from dataclasses import dataclass
from enum import StrEnum

from ambidex.envs.tasks.libero.bddl.problem import Atom


class Work(StrEnum):
    """Kinds of jobs."""

    OPEN = "open"
    CLOSE = "close"
    TURN_ON = "turn on"
    TURN_OFF = "turn off"
    PUT = "put"


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        work: Its kind.
        thing: For PUT the object; otherwise the joint: "<fixture>_top_level", "<fixture>_microjoint" or
            "<fixture>_button".
        atom: The goal atom behind it; for a drawer that is opened in passing, the atom that needs it.
    """

    work: Work
    thing: str
    atom: Atom
