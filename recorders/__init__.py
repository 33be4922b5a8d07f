"""Dataset formats, the recorder, video, and the commands that read and write episodes."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ambidex.recorders.dataset.dataset import read

if __name__ != "ambidex.recorders":
    raise ImportError(
        f"This folder is the package 'ambidex.recorders' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )

__all__ = ["read"]


def __getattr__(name: str) -> object:
    if name == "read":  # on demand: it needs h5py
        return import_module("ambidex.recorders.dataset.dataset").read
    raise AttributeError(f"module 'ambidex.recorders' has no attribute {name!r}")
