"""Makes videos and stills while somebody watches, one video and one still at a time."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.benchmarks.film_job import FilmJob
from ambidex.benchmarks.gallery.report_poster import jpeg
from ambidex.benchmarks.gallery.watch_making import Making
from ambidex.benchmarks.gallery.watch_render_thread import RenderThread
from ambidex.errors import AmbidexError
from ambidex.progress import Progress

if TYPE_CHECKING:
    from ambidex.benchmarks.film_worker import FilmWorker

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

    def request(self, job: FilmJob) -> Making:
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

    def making(self, job: FilmJob) -> Making:
        """How far a video is."""
        with self._lock:
            return self._makings.get(job.video) or Making(ready=job.video.is_file())

    def still(self, job: FilmJob) -> bytes:
        """The end of an episode as a JPEG. Waits for it.

        Raises:
            AmbidexError: It cannot be rendered.
            CancelledError: The studio closes.
        """
        if job.states not in self._stills:
            self._stills[job.states] = jpeg(self._pictures.submit(lambda worker: worker.still(job)).result())
        return self._stills[job.states]

    def close(self) -> None:
        """Stop at once; a half-made video is dropped. Safe to call twice."""
        self._closing.set()
        self._films.close()
        self._pictures.close()

    def _make(self, worker: "FilmWorker", job: FilmJob) -> None:
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

    def _film(self, worker: "FilmWorker", job: FilmJob) -> None:
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

            worker.film(job, tell)

    def _note(self, job: FilmJob, making: Making | None) -> None:
        with self._lock:
            if making is None:
                self._makings.pop(job.video, None)
            else:
                self._makings[job.video] = making
