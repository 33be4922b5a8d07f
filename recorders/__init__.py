"""Recording, rendering, verifying and reading datasets: `record`, `render`, `verify`, `read`, and their commands."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ambidex.recorders.dataset.dataset import read
    from ambidex.recorders.recording.record import record
    from ambidex.recorders.rendering.render import render
    from ambidex.recorders.verification.verify import verify

if __name__ != "ambidex.recorders":
    raise ImportError(
        f"This folder is the package 'ambidex.recorders' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )

__all__ = ["read", "record", "render", "verify"]
_MODULES = {
    "read": "dataset.dataset",
    "record": "recording.record",
    "render": "rendering.render",
    "verify": "verification.verify",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:  # on demand: they need h5py, and all but `read` the simulator
        return getattr(import_module(f"ambidex.recorders.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'ambidex.recorders' has no attribute {name!r}")
