"""Chooses an OpenGL backend before any rollout, and says clearly when there is none."""

import ctypes
import os
from typing import TYPE_CHECKING, Protocol

from ambidex.errors import RenderingError

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}
NOT_A_BACKEND = (  # what mujoco accepts besides
    *("disable", "disabled", "off", "false", "0"),
    *("enable", "enabled", "on", "true", "1", "glx"),
)
PACKAGES = "apt-get install libegl1 libgl1 libgl1-mesa-dri"


class GLContext(Protocol):
    """An offscreen OpenGL context."""

    def make_current(self) -> None: ...

    def free(self) -> None: ...


def check_environment() -> None:
    """Refuse a MUJOCO_GL with which mujoco cannot even be imported. Call it before that import.

    Raises:
        RenderingError: Names what is known.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    if asked and asked not in (*LIBRARIES, *NOT_A_BACKEND):
        raise _unknown_backend(asked)


def choose_backend() -> str:
    """The backend to use: MUJOCO_GL if set, else EGL (a GPU, or Mesa in software), else OSMesa.

    Raises:
        RenderingError: MUJOCO_GL names none, or no library of any backend is installed.
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
        f"Rendering needs OpenGL, and no backend could be loaded: tried {tried}. On Debian or Ubuntu install it with "
        f"'{PACKAGES}', on other systems the Mesa EGL or OSMesa packages, then run again. States can be recorded "
        "without OpenGL: --cameras none --video none."
    )


def make_context(width: int, height: int) -> tuple[GLContext, str]:
    """An offscreen context of at least this size [px], and the name of its backend.

    Raises:
        RenderingError: The backend is there but gives no context.
    """
    backend = choose_backend()
    try:
        context = _context_class(backend)(width, height)
        context.make_current()
    except Exception as exception:  # PyOpenGL and the drivers raise whatever they like
        raise RenderingError(
            f"Rendering needs OpenGL, and the backend {backend!r} gave no context: {type(exception).__name__}: "
            f"{exception}. Install the drivers with '{PACKAGES}', or try another backend with MUJOCO_GL=egl or "
            "MUJOCO_GL=osmesa."
        ) from exception
    return context, backend


def _unknown_backend(asked: str) -> RenderingError:
    return RenderingError(
        f"MUJOCO_GL is {asked!r}, which is no OpenGL backend for offscreen rendering. "
        f"Known: {', '.join(LIBRARIES)}. Unset it to let the program choose."
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
