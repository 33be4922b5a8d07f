"""What a policy was trained with."""

import platform
from importlib.metadata import PackageNotFoundError, version

import ambidex

_PACKAGES = ("torch", "numpy", "safetensors", "h5py")


def training_versions() -> dict[str, str]:
    """Package -> version, and `platform`: the kind of machine."""
    return {
        "ambidex": ambidex.__version__,
        "python": platform.python_version(),
        **{name: _installed(name) for name in _PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
