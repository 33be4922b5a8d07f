"""Makes videos and stills while somebody watches, one video and one still at a time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ambidex.benchmarks.gallery.poster import jpeg
from ambidex.benchmarks.videos.jobs import VideoJob
from ambidex.errors import AmbidexError
from ambidex.progress import Progress

if TYPE_CHECKING:
    from ambidex.benchmarks.videos.worker import VideoWorker


# FOLDED benchmarks.gallery.watch_making: How far the making of a video is.


@dataclass(frozen=True, kw_only=True)
class Making:
    """How far the making of a video is.

    Attributes:
        ready: The video is there.
        done: Frames done.
        total: Frames in all; 0 while it waits for another video.
        error: Why it could not be made; empty if nothing went wrong.
    """

    ready: bool = False
    done: int = 0
    total: int = 0
    error: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return asdict(self)


CLOSED = "The gallery was closed."


class StudioClosedError(AmbidexError):
    """The studio closes in the middle of a video."""


class Studio:
    """Makes videos and stills while somebody watches. Stills have a thread of their own, so they never wait long.

    Args:
        quiet: Show no progress on the terminal.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._closing, self._lock = quiet, threading.Event(), threading.Lock()
        self._makings: dict[Path, Making] = {}
        self._stills: dict[Path, bytes] = {}
        self._films, self._pictures = RenderThread(), RenderThread()

    def request(self, job: VideoJob) -> Making:
        """Begin to make a video unless it is there or being made; after an error, try again."""
        if self._closing.is_set():
            return Making(error=CLOSED)
        with self._lock:
            known = self._makings.get(job.video)
            if job.video.is_file() or (known is not None and not known.error):
                return known or Making(ready=True)
            self._makings[job.video] = Making()
        self._films.submit(lambda worker: self._make(worker, job))
        return Making()

    def making(self, job: VideoJob) -> Making:
        """How far a video is."""
        with self._lock:
            return self._makings.get(job.video) or Making(ready=job.video.is_file())

    def still(self, job: VideoJob) -> bytes:
        """The end of an episode as a JPEG. Waits for it.

        Raises:
            AmbidexError: It cannot be rendered.
            CancelledError: The studio closes.
        """
        if job.states not in self._stills:
            self._stills[job.states] = jpeg(self._pictures.submit(lambda worker: worker.render_end(job)).result())
        return self._stills[job.states]

    def close(self) -> None:
        """Stop at once; a half-made video is dropped. Safe to call twice."""
        self._closing.set()
        self._films.close()
        self._pictures.close()

    def _make(self, worker: "VideoWorker", job: VideoJob) -> None:
        try:
            self._film(worker, job)
        except StudioClosedError:
            self._note(job, None)
        except AmbidexError as error:
            self._note(job, Making(error=str(error)))
        except Exception as exception:  # it must be seen on the page, or the page would wait for ever
            self._note(job, Making(error=f"{type(exception).__name__}: {exception}"))
            raise
        else:
            self._note(job, None)

    def _film(self, worker: "VideoWorker", job: VideoJob) -> None:
        with ExitStack() as stack:
            bars: list[Progress] = []

            def tell(done: int, total: int) -> None:
                if self._closing.is_set():
                    raise StudioClosedError(CLOSED)
                if not bars:
                    label = f"video of {job.spec.task}, seed {job.seed}"
                    bars.append(stack.enter_context(Progress(label, total, quiet=self._quiet, unit="frame")))
                bars[0].update(done)
                self._note(job, Making(done=done, total=total))

            worker.render(job, tell)

    def _note(self, job: VideoJob, making: Making | None) -> None:
        with self._lock:
            if making is None:
                self._makings.pop(job.video, None)
            else:
                self._makings[job.video] = making


# FOLDED benchmarks.gallery.watch_render_thread: A thread that renders: an OpenGL context belongs to the thread that made it.

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Work:
    do: Callable[[], None]
    drop: Callable[[], bool]


class RenderThread:
    """Does work with a film worker of its own, the newest first: that is what somebody looks at now."""

    def __init__(self) -> None:
        self._waiting: list[_Work] = []
        self._changed = threading.Condition()
        self._closed = False
        self._film_worker: VideoWorker | None = None
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, work: "Callable[[VideoWorker], Result]") -> "Future[Result]":
        """Queue work; its result or exception comes in the future, which is cancelled if this closes before."""
        future: Future[Result] = Future()

        def do() -> None:
            try:
                future.set_result(work(self._worker()))
            except Exception as exception:  # whoever waits for the future hears it
                future.set_exception(exception)

        with self._changed:
            if self._closed:
                future.cancel()
            self._waiting.append(_Work(do, future.cancel))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Finish the work at hand, drop the rest, and free the context. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        for work in self._waiting:
            work.drop()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work.do()
        if self._film_worker is not None:
            self._film_worker.close()

    def _next(self) -> _Work | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            return None if self._closed else self._waiting.pop()

    def _worker(self) -> "VideoWorker":
        from ambidex.benchmarks.videos.worker import (
            VideoWorker,
        )  # loads the simulator: not before somebody wants a picture

        if self._film_worker is None:
            self._film_worker = VideoWorker()
        return self._film_worker
