"""Choice of an OpenGL backend for offscreen rendering, and clear errors if there is none."""

import ctypes
import os
import resource
from typing import TYPE_CHECKING, Protocol

from ambidex.errors import RenderingError

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}
OTHER_VALUES = (  # of MUJOCO_GL that mujoco accepts, too
    *("disable", "disabled", "off", "false", "0"),
    *("enable", "enabled", "on", "true", "1", "glx"),
)
PACKAGES = {"egl": "libegl1 libgl1 libgl1-mesa-dri", "osmesa": "libosmesa6"}  # of Debian and Ubuntu
VARIABLES = (  # that decide whether there is a context, read by mujoco, PyOpenGL, libglvnd and Mesa
    *("MUJOCO_EGL_DEVICE_ID", "EGL_PLATFORM", "__EGL_VENDOR_LIBRARY_FILENAMES", "__EGL_VENDOR_LIBRARY_DIRS"),
    *("LIBGL_DRIVERS_PATH", "MESA_LOADER_DRIVER_OVERRIDE", "GALLIUM_DRIVER"),
)


class GLContext(Protocol):
    """An offscreen OpenGL context."""

    def make_current(self) -> None: ...

    def free(self) -> None: ...


def check_environment() -> None:
    """Check that mujoco can be imported with the current MUJOCO_GL. To be called before that import.

    Raises:
        RenderingError: It cannot: the value is unknown, or the library that it names is not installed.
    """
    asked = _asked_backend()
    if asked and asked not in OTHER_VALUES:
        choose_backend()


def choose_backend() -> str:
    """The backend to use: MUJOCO_GL if set, else EGL (a GPU, or Mesa in software), else OSMesa.

    Raises:
        RenderingError: MUJOCO_GL is no known backend, the library of none is installed, or PYOPENGL_PLATFORM is
            another backend.
    """
    asked = _asked_backend()
    if asked and asked not in LIBRARIES:
        raise _unknown_backend(asked)
    candidates = [asked] if asked else ["egl", "osmesa"]
    for backend in candidates:
        if _loads(LIBRARIES[backend]):
            _check_platform(backend)
            return backend
    if asked:
        raise RenderingError(
            f"MUJOCO_GL is {asked!r}, but its library {LIBRARIES[asked]} cannot be loaded.",
            f"On Debian or Ubuntu run 'apt-get install {PACKAGES[asked]}', or unset MUJOCO_GL.",
            variable="MUJOCO_GL",
            got=asked,
            tried=candidates,
        )
    tried = " and ".join(f"{b} ({LIBRARIES[b]})" for b in candidates)
    raise RenderingError(
        f"Rendering needs OpenGL, and no backend could be loaded: tried {tried}.",
        f"On Debian or Ubuntu run 'apt-get install {PACKAGES['egl']}', elsewhere install the Mesa EGL or OSMesa "
        "packages; states can be recorded without OpenGL: --cameras none --video none.",
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
        problem = f"Rendering needs OpenGL, but {backend!r} gave no context: {_one_line(exception)}."
        variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        raise RenderingError(problem, _advice(backend), backend=backend, variables=variables) from exception
    return context, backend


def _advice(backend: str) -> str:
    """What to do if a backend gives no context: environment variables and limits first, drivers last."""
    found = [f"{name} (now {os.environ[name]!r})" for name in VARIABLES if name in os.environ]
    if found:
        return f"Unset {' and '.join(found)}."
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        return f"The process may use only {limit / 1e9:.2g} GB of address space: try `ulimit -v unlimited`."
    return f"Install the drivers with 'apt-get install {PACKAGES[backend]}'."


def _one_line(exception: Exception) -> str:
    return f"{type(exception).__name__}: {' '.join(str(exception).split())}".rstrip(".")


def _asked_backend() -> str:
    return os.environ.get("MUJOCO_GL", "").lower().strip()


def _check_platform(backend: str) -> None:
    """PyOpenGL has a variable of its own, which mujoco sets to the backend that it has loaded."""
    platform = os.environ.get("PYOPENGL_PLATFORM", "")
    if platform.lower() not in ("", backend):
        problem = f"PYOPENGL_PLATFORM is {platform!r}, but images are rendered with {backend}."
        raise RenderingError(problem, "Unset PYOPENGL_PLATFORM.", variable="PYOPENGL_PLATFORM", got=platform)


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
