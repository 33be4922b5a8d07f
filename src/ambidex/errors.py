"""Errors a user can act on: what is wrong and where, what was expected, what to do."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any


class AmbidexError(Exception):
    """Base of all errors that this project raises on purpose. Commands print it without a traceback and exit with 1.

    Args:
        problem: What is wrong, and where: a sentence or two.
        hint: What to do about it. Empty if that is plain.
        facts: What a program may want to know about it, such as `path`, `field`, `got` and `expected`.
    """

    def __init__(self, problem: str, hint: str = "", **facts: object) -> None:
        super().__init__(f"{problem} {hint}".rstrip())
        self.problem, self.hint, self.facts = problem, hint, facts

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[AmbidexError], args: tuple[object, ...], values: dict[str, object]) -> AmbidexError:
    """An error that crossed a process boundary, whatever its constructor takes."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(values)
    return error


def describe_error(error: BaseException) -> str:
    """The type and text of an error of other code, without a full stop at the end."""
    return f"{type(error).__name__}: {error}".rstrip(": .")


class UsageError(AmbidexError):
    """The caller asked for something that does not exist or is not possible. Commands exit with 2."""


class UnknownNameError(UsageError):
    """A name that is not among the known ones; `kind` is what it names, e.g. "task"."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        by_lower_case = {known_name.lower(): known_name for known_name in reversed(names)}
        close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.5)
        suggestion = f"Did you mean {by_lower_case[close[0]]!r}? " if close else ""
        known_names = f"Known: {', '.join(names) or 'none'}."
        super().__init__(f"Unknown {kind} {name!r}.", suggestion + known_names, kind=kind, got=name, expected=names)


def check_name(kind: str, name: str, known: Collection[str]) -> None:
    """Raise an UnknownNameError unless a name is among the known ones; `kind` is what it names."""
    if name not in known:
        raise UnknownNameError(kind, name, known)


class EpisodesFailedError(AmbidexError):
    """The first episodes of a benchmark all ended with an error."""


class PerturbationError(UsageError):
    """An axis of perturbation has nothing to change in an environment, or nothing that the policy gets."""


class DefinitionError(UsageError):
    """A BDDL file that cannot be parsed, or that names what does not exist. Says the line and the column."""


class InvalidActionError(AmbidexError):
    """An action of the wrong shape, or with a value that is not finite."""


class SimulationError(AmbidexError):
    """The simulation has become unstable, or a state is not finite."""


class EpisodeStartError(AmbidexError):
    """The initial state of a seed cannot be made: there is no room for an object, or it does not come to rest."""


class RenderingError(AmbidexError):
    """No OpenGL context could be created."""


class DatasetError(AmbidexError):
    """A dataset or results file or folder that is missing, damaged or foreign, or that cannot be written."""


class MissingDatasetError(DatasetError, UsageError):
    """A path that a user gives does not exist, or is no dataset, results folder or file of the expected kind."""


class CheckpointError(AmbidexError):
    """A checkpoint or run folder that is damaged or foreign, or that cannot be written."""


class TrainingError(AmbidexError):
    """Training cannot continue: the loss is not finite, or the machine lacks what was asked for."""


class RemoteConnectionError(AmbidexError):
    """The server of a policy cannot be reached, or has gone. Says nothing about the policy."""


class RemotePolicyError(AmbidexError):
    """A policy on a server failed on a request: the server sent an error, or an answer without fitting actions."""


class MissingPackageError(UsageError):
    """A package of an optional extra is not installed."""

    def __init__(self, error: ModuleNotFoundError, extra: str, purpose: str, otherwise: str = "") -> None:
        super().__init__(
            f"{purpose} needs packages that are not installed ({error}).",
            f"Install them in the folder of ambidex with: pip install -c constraints.txt -e '.[{extra}]'{otherwise}.",
            package=error.name,
            extra=extra,
        )


class NoImagesError(UsageError):
    """A policy that needs images, and data that has none."""
