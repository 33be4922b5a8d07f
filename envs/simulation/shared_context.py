"""One OpenGL context for each thread, which its renderers share.

Drivers translate the shaders of a context when they are first used, which takes much longer than an image.
"""

import os
import threading

import mujoco

from ambidex.envs.simulation.opengl import make_context


class SharedContext:
    """The OpenGL context of a thread, until the thread or the process ends.

    Args:
        image_size: Height and width of the first images [px].

    Raises:
        RenderingError: No context can be created.
    """

    def __init__(self, image_size: tuple[int, int]) -> None:
        height, width = image_size
        self._context, _ = make_context(width, height)
        self._unused: list[mujoco.MjrContext] = []

    def make_current(self) -> None:
        """Let OpenGL draw here. Raises exceptions of many types, as PyOpenGL does, in another thread."""
        self._context.make_current()
        while self._unused:
            self._unused.pop().free()

    def free(self, gpu: mujoco.MjrContext) -> None:
        """Free what a renderer has stored in the context: at once, or if another thread asks, with the next image."""
        self._unused.append(gpu)
        try:
            self.make_current()
        except Exception:  # PyOpenGL raises exceptions of many types
            return

    def close(self) -> None:
        """Free the context. To be called when no renderer uses it any more."""
        self._context.free()


class _OfThread(threading.local):
    """The context of each process in this thread: one of a GPU does not survive a fork."""

    def __init__(self) -> None:
        self.by_process: dict[int, SharedContext] = {}


_contexts = _OfThread()


def shared_context(image_size: tuple[int, int]) -> SharedContext:
    """The context of this thread, made if there is none; current afterwards.

    Raises:
        RenderingError: No context can be created.
    """
    process = os.getpid()
    if process not in _contexts.by_process:
        _contexts.by_process[process] = SharedContext(image_size)
    shared = _contexts.by_process[process]
    shared.make_current()
    return shared


def close_shared_context() -> None:
    """Free the context of this thread, if there is one. To be called when no renderer uses it any more."""
    shared = _contexts.by_process.pop(os.getpid(), None)
    if shared is not None:
        shared.close()
