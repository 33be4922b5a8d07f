"""Learned policies and their shared trainer. Importing it loads no torch; `load` does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ambidex.policies.checkpoint import load

__all__ = ["load"]

if __name__ != "ambidex.policies":
    raise ImportError(
        f"This folder is the package 'ambidex.policies' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )


def __getattr__(name: str) -> object:
    if name == "load":
        from ambidex.policies.checkpoint import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
