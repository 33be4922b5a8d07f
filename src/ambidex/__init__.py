"""ambidex: record, train and benchmark robot manipulation in MuJoCo."""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from ambidex.envs.wrappers import gym_env as _gym_env

# Mesa's software rasteriser would start threads with the first OpenGL display. They do not survive a fork, with which
# Gymnasium's asynchronous vector environments start, and several worker processes would only wait for each other's.
os.environ.setdefault("LP_NUM_THREADS", "0")

if TYPE_CHECKING:
    from ambidex.envs.env import Environment, make

__version__ = "0.1.0"
__all__ = ["Environment", "__version__", "make"]

_gym_env.register_all()  # so that gymnasium.make("ambidex/Insertion-v0") works after `import ambidex`


def __getattr__(name: str) -> object:
    if name in ("make", "Environment"):
        return getattr(import_module("ambidex.envs.env"), name)
    if name in ("envs", "recorders", "policies", "benchmarks", "scripted_policies", "assets"):
        return import_module(f"ambidex.{name}")
    raise AttributeError(f"module 'ambidex' has no attribute {name!r}")
