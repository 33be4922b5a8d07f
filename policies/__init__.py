"""Learned policies and their trainer. Importing it loads no torch; using `load` and `train` does.

`policy.py` is the interface of a policy, `registry.py` lists them, `act/model.py` is one to read from top to bottom.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ambidex.policies.checkpoint import load
    from ambidex.policies.training.train import train

__all__ = ["load", "train"]

if __name__ != "ambidex.policies":
    raise ImportError(
        f"This folder is the package 'ambidex.policies' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )


def __getattr__(name: str) -> object:
    if name == "load":
        from ambidex.policies.checkpoint import load

        return load
    if name == "train":
        from ambidex.policies.training.train import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
