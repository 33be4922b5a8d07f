"""Versions of the software that something was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

import ambidex

SIMULATION = ("mujoco", "numpy", "h5py")
TRAINING = ("torch", "numpy", "safetensors", "h5py")


def versions(packages: tuple[str, ...] = SIMULATION) -> dict[str, str]:
    """Package -> version, and `platform`: the kind of machine.

    Args:
        packages: Distributions to list beside ambidex and Python. Equal values of `SIMULATION` on two machines mean
            that they compute the same bits.
    """
    return {
        "ambidex": ambidex.__version__,
        "python": platform.python_version(),
        **{name: _installed(name) for name in packages},
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
