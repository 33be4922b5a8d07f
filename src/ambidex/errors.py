"""Errors a user can act on. Every message is one paragraph: what, where, got, expected, what exists, what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class AmbidexError(Exception):
    """Base of all errors this project raises on purpose. Commands print it without a traceback and exit 1."""


class UsageError(AmbidexError):
    """The caller asked for something that does not exist or cannot be. Commands exit 2."""


class UnknownNameError(UsageError):
    """A name that is not among the known ones.

    Args:
        kind: What is named, e.g. "task".
        name: What the caller wrote.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        by_lower_case = {known_name.lower(): known_name for known_name in reversed(names)}
        close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.5)
        hint = f" Did you mean {by_lower_case[close[0]]!r}?" if close else ""
        super().__init__(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")


class DefinitionError(UsageError):
    """A task's BDDL file that cannot be read, or that names what does not exist. Says the line and the column."""


class InvalidActionError(AmbidexError):
    """An action of the wrong shape, or with a number that is not finite."""


class SimulationError(AmbidexError):
    """The physics has become unstable, or a state is not finite."""


class EpisodeStartError(AmbidexError):
    """An episode that cannot begin: its seed asks for what the world has no room for."""


class RenderingError(AmbidexError):
    """No OpenGL context could be made."""


class DatasetError(AmbidexError):
    """A dataset file or folder that is missing, damaged, foreign, or cannot be written."""


# FOLDED policies.errors: Errors of training and of checkpoints.


class CheckpointError(AmbidexError):
    """A checkpoint or run folder that is damaged, foreign, or cannot be written."""


class TrainingError(AmbidexError):
    """Training cannot go on: the loss is not finite, or the machine cannot do what is asked."""


class NoImagesError(UsageError):
    """A policy that looks at images, and data without any."""
