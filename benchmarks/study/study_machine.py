"""The accelerator a figure was measured with."""

import torch

from ambidex.benchmarks.throughput_machine import describe_machine
from ambidex.versions import TRAINING, versions


def describe_accelerated_machine() -> dict[str, dict[str, str | float]]:
    """Hardware, OpenGL, versions and GPU, ready for JSON; `gpu` is empty without one.

    Raises:
        RenderingError: There is no OpenGL.
    """
    machine = describe_machine()
    machine["versions"] = {**machine["versions"], **versions(TRAINING)}
    return {**machine, "gpu": _gpu()}


def _gpu() -> dict[str, str | float]:
    if not torch.cuda.is_available():
        return {}
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "count": torch.cuda.device_count(),
        "memory_mb": round(properties.total_memory / 1e6),
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
    }
