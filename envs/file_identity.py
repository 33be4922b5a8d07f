"""Whether files that an environment is made from are still those of its spec."""

import hashlib
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError


def text_sha256(text: str) -> str:
    """Fingerprint of a definition's text; "" for an empty one."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest() if text else ""


def file_sha256(path: Path) -> str:
    """Fingerprint of a file; "" if there is none, which whoever reads it says better."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(expected: EnvSpec, made: EnvSpec) -> None:
    """Refuse an environment made from other files than a spec was.

    Raises:
        UsageError: The definition or the initial states have changed.
    """
    if expected.definition_differs(made):
        raise UsageError(
            f"The definition {made.task} has changed: its SHA-256 was {expected.definition_sha256}, now "
            f"{made.definition_sha256}. Put the old text back, or begin anew under another name."
        )
    then, now = expected.init_states_sha256, made.init_states_sha256
    if then and now and then != now:
        raise UsageError(
            f"The initial states {made.init_states} have changed: their SHA-256 was {then}, now {now}. Put the old "
            "file back, or begin anew with these."
        )
