"""SHA-256 of the files an environment is made from, and the check that they have not changed."""

import hashlib
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError


def text_sha256(text: str) -> str:
    """SHA-256 of a definition's text; "" for an empty text."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest() if text else ""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file; "" if it does not exist, which its reader reports."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(expected: EnvSpec, made: EnvSpec) -> None:
    """Check that an environment was made from the files of the expected spec.

    Raises:
        UsageError: The definition or the initial states have changed.
    """
    if expected.definition_differs(made):
        raise _changed(f"The definition {made.task} has changed", expected.definition_sha256, made.definition_sha256)
    before, now = expected.init_states_sha256, made.init_states_sha256
    if before and now and before != now:
        raise _changed(f"The initial states {made.init_states} have changed", before, now)


def _changed(problem: str, expected: str, got: str) -> UsageError:
    return UsageError(
        f"{problem}: SHA-256 was {expected}, now {got}.",
        "Restore the original file, or start over under another name.",
        expected=expected,
        got=got,
    )
