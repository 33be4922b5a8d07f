"""The machine, the OpenGL and the versions a figure was measured with."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from ambidex.envs.simulation.opengl import make_context
from ambidex.output_folder import versions

PACKAGES = ("dm-control", "gymnasium", "av", "PyOpenGL")


def describe_machine() -> dict[str, dict[str, str | float]]:
    """Hardware, OpenGL and versions, ready for JSON; `load_before` tells whether others were at work."""
    return {
        "hardware": describe_hardware(),
        "opengl": _opengl(),
        "versions": {**versions(), **{package: version(package) for package in PACKAGES}},
    }


def describe_hardware() -> dict[str, str | float]:
    """Processor, cores and memory, ready for JSON; `load_before` tells whether others were at work."""
    return {
        "processor": _processor(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
        "system": platform.platform(),
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _opengl() -> dict[str, str | float]:
    context, backend = make_context(16, 16)
    from OpenGL import GL  # after the context, which chooses PyOpenGL's platform

    strings = {"renderer": GL.GL_RENDERER, "version": GL.GL_VERSION, "vendor": GL.GL_VENDOR}
    found = {name: GL.glGetString(key).decode() for name, key in strings.items()}
    context.free()
    return {"backend": backend, **found}
