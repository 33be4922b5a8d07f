"""The machine, OpenGL and versions that a speed was measured with."""

from importlib.metadata import version

from ambidex.benchmarks.results.info import describe_hardware
from ambidex.envs.simulation.opengl import make_context
from ambidex.output_folder import versions

PACKAGES = ("dm-control", "gymnasium", "av", "PyOpenGL")


def describe_machine() -> dict[str, dict[str, str | float]]:
    """Hardware, OpenGL and versions, ready for JSON."""
    return {
        "hardware": describe_hardware(),
        "opengl": _opengl(),
        "versions": {**versions(), **{package: version(package) for package in PACKAGES}},
    }


def _opengl() -> dict[str, str | float]:
    context, backend = make_context(16, 16)
    from OpenGL import GL  # after the context, which chooses PyOpenGL's platform

    strings = {"renderer": GL.GL_RENDERER, "version": GL.GL_VERSION, "vendor": GL.GL_VENDOR}
    found = {name: GL.glGetString(key).decode() for name, key in strings.items()}
    context.free()
    return {"backend": backend, **found}
