"""Makes videos and posters on request, one of each at a time, while the gallery is open."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ambidex.benchmarks.gallery.poster import jpeg
from ambidex.benchmarks.videos.jobs import VideoJob
from ambidex.errors import AmbidexError
from ambidex.progress import Progress

if TYPE_CHECKING:
    from ambidex.benchmarks.videos.worker import VideoWorker

Result = TypeVar("Result")
CLOSED = "The gallery was closed."


@dataclass(frozen=True, kw_only=True)
class VideoStatus:
    """How far a video has been made: `done` of `total` frames, both 0 while it waits for another video.

    It is ready once the file exists; `error` says why it could not be made.
    """

    ready: bool = False
    done: int = 0
    total: int = 0
    error: str = ""


class ClosedError(AmbidexError):
    """The gallery is closed while a video is being made."""


class VideoMaker:
    """Makes videos in one thread and posters in another, so that a poster never waits for a video.

    Args:
        quiet: Show no progress on the terminal.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._closing, self._lock = quiet, threading.Event(), threading.Lock()
        self._statuses: dict[Path, VideoStatus] = {}
        self._posters: dict[Path, bytes] = {}
        self._video_thread, self._poster_thread = RenderThread(), RenderThread()

    def request(self, job: VideoJob) -> VideoStatus:
        """Start to make a video unless it exists or is being made. After an error it is tried again."""
        if self._closing.is_set():
            return VideoStatus(error=CLOSED)
        with self._lock:
            known = self._statuses.get(job.video)
            if job.video.is_file() or (known is not None and not known.error):
                return known or VideoStatus(ready=True)
            self._statuses[job.video] = VideoStatus()
        self._video_thread.submit(lambda worker: self._make(worker, job))
        return VideoStatus()

    def status(self, job: VideoJob) -> VideoStatus:
        """How far a video has been made."""
        with self._lock:
            return self._statuses.get(job.video) or VideoStatus(ready=job.video.is_file())

    def poster(self, job: VideoJob) -> bytes:
        """The last frame of an episode as a JPEG. Blocks until it is rendered.

        Raises:
            AmbidexError: It cannot be rendered.
            CancelledError: The gallery is being closed.
        """
        if job.states not in self._posters:
            image = self._poster_thread.submit(lambda worker: worker.render_end(job)).result()
            self._posters[job.states] = jpeg(image)
        return self._posters[job.states]

    def close(self) -> None:
        """Stop immediately; an incomplete video is removed. Safe to call twice."""
        self._closing.set()
        self._video_thread.close()
        self._poster_thread.close()

    def _make(self, worker: "VideoWorker", job: VideoJob) -> None:
        status = None
        try:
            self._render(worker, job)
        except ClosedError:
            pass
        except AmbidexError as error:
            status = VideoStatus(error=str(error))
        except Exception as exception:  # without a status the page would wait for ever
            status = VideoStatus(error=f"{type(exception).__name__}: {exception}")
            raise
        finally:
            self._set_status(job, status)

    def _render(self, worker: "VideoWorker", job: VideoJob) -> None:
        with ExitStack() as stack:
            bars: list[Progress] = []

            def on_frame(done: int, total: int) -> None:
                if self._closing.is_set():
                    raise ClosedError(CLOSED)
                if not bars:
                    label = f"video of {job.spec.task}, seed {job.seed}"
                    bars.append(stack.enter_context(Progress(label, total, quiet=self._quiet, unit="frame")))
                bars[0].update(done)
                self._set_status(job, VideoStatus(done=done, total=total))

            worker.render(job, on_frame)

    def _set_status(self, job: VideoJob, status: VideoStatus | None) -> None:
        with self._lock:
            if status is None:
                self._statuses.pop(job.video, None)
            else:
                self._statuses[job.video] = status


class RenderThread:
    """Runs work in a thread with its own video worker, because an OpenGL context belongs to one thread.

    The newest work comes first, as it is for what the page shows now.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], None], Callable[[], bool]]] = []  # (run, cancel)
        self._changed = threading.Condition()
        self._closed = False
        self._video_worker: VideoWorker | None = None
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, work: "Callable[[VideoWorker], Result]") -> "Future[Result]":
        """Queue work. The future gets its result or exception; it is cancelled if this closes before."""
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(work(self._worker()))
            except Exception as exception:  # `future.result` raises it
                future.set_exception(exception)

        with self._changed:
            if self._closed:
                future.cancel()
            self._waiting.append((run, future.cancel))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Finish the current work, cancel the rest, and free the OpenGL context. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        for _, cancel in self._waiting:
            cancel()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work()
        if self._video_worker is not None:
            self._video_worker.close()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            return None if self._closed else self._waiting.pop()[0]

    def _worker(self) -> "VideoWorker":
        from ambidex.benchmarks.videos.worker import VideoWorker  # imports the simulator, so not before it is needed

        if self._video_worker is None:
            self._video_worker = VideoWorker()
        return self._video_worker
