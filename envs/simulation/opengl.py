"""Choice of an OpenGL backend for offscreen rendering, and clear errors if there is none."""

import ctypes
import os
from typing import TYPE_CHECKING, Protocol

from ambidex.errors import RenderingError

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}
OTHER_VALUES = (  # of MUJOCO_GL that mujoco accepts, too
    *("disable", "disabled", "off", "false", "0"),
    *("enable", "enabled", "on", "true", "1", "glx"),
)
PACKAGES = "apt-get install libegl1 libgl1 libgl1-mesa-dri"


class GLContext(Protocol):
    """An offscreen OpenGL context."""

    def make_current(self) -> None: ...

    def free(self) -> None: ...


def check_environment() -> None:
    """Check that mujoco can be imported with the current MUJOCO_GL. To be called before that import.

    Raises:
        RenderingError: It cannot; lists the known values.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    if asked and asked not in (*LIBRARIES, *OTHER_VALUES):
        raise _unknown_backend(asked)


def choose_backend() -> str:
    """The backend to use: MUJOCO_GL if set, else EGL (a GPU, or Mesa in software), else OSMesa.

    Raises:
        RenderingError: MUJOCO_GL is no known backend, or the library of none is installed.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    if asked and asked not in LIBRARIES:
        raise _unknown_backend(asked)
    candidates = [asked] if asked else ["egl", "osmesa"]
    for backend in candidates:
        if _loads(LIBRARIES[backend]):
            return backend
    tried = " and ".join(f"{b} ({LIBRARIES[b]})" for b in candidates)
    raise RenderingError(
        f"Rendering needs OpenGL, and no backend could be loaded: tried {tried}.",
        f"On Debian or Ubuntu run '{PACKAGES}', elsewhere install the Mesa EGL or OSMesa packages; states can be "
        "recorded without OpenGL: --cameras none --video none.",
        tried=candidates,
    )


def make_context(width: int, height: int) -> tuple[GLContext, str]:
    """An offscreen context of at least this size [px], and the name of its backend.

    Raises:
        RenderingError: The backend cannot create a context.
    """
    backend = choose_backend()
    try:
        context = _context_class(backend)(width, height)
        context.make_current()
    except Exception as exception:  # PyOpenGL and the drivers raise exceptions of many types
        problem = f"Rendering needs OpenGL, but {backend!r} gave no context: {type(exception).__name__}: {exception}."
        hint = f"Install the drivers with '{PACKAGES}', or try MUJOCO_GL=egl or MUJOCO_GL=osmesa."
        raise RenderingError(problem, hint, backend=backend) from exception
    return context, backend


def _unknown_backend(asked: str) -> RenderingError:
    return RenderingError(
        f"MUJOCO_GL is {asked!r}, which is no OpenGL backend for offscreen rendering. Known: {', '.join(LIBRARIES)}.",
        "Unset it to let the program choose.",
        got=asked,
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _context_class(backend: str) -> "Callable[[int, int], GLContext]":
    if backend == "egl":
        from mujoco.egl import GLContext as Context
    else:
        from mujoco.osmesa import GLContext as Context
    return Context  # type: ignore[no-any-return]
