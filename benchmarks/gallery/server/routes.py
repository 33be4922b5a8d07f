"""What the server of the gallery serves: the page, videos, stills, and how far a video is."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from ambidex.benchmarks.gallery.model import Model
from ambidex.benchmarks.gallery.page import page
from ambidex.benchmarks.gallery.poster import poster
from ambidex.benchmarks.gallery.report import why_absent
from ambidex.benchmarks.gallery.runs import Media, ReportEpisode, ReportRun
from ambidex.benchmarks.gallery.server.config import film_job
from ambidex.benchmarks.gallery.server.videos import Making, Studio
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.layout import task_folder


class Gallery:
    """What is served. Every episode has an address; what has none cannot be asked for.

    Args:
        folders: One results or dataset folder, or two to compare.
        look: How videos look.
        studio: Makes those that are missing.

    Raises:
        UsageError: A folder is neither.
        DatasetError: It is damaged.
    """

    def __init__(self, folders: Sequence[Path], look: VideoStyle, studio: Studio) -> None:
        self._folders, self._look, self._studio = folders, look, studio
        self._posters: dict[tuple[Path, int], bytes] = {}
        self._read()

    @property
    def shortfalls(self) -> list[str]:
        """Of the runs that lack episodes, what is to be said."""
        return [run.shortfall for run in self._runs if run.shortfall]

    def page(self) -> str:
        """The page. The folders are read anew, for a run may still be going on."""
        self._read()
        return page(Model(runs=self._runs, media=self._media))

    def episode(self, address: str) -> tuple[ReportRun, ReportEpisode] | None:
        """Whose address this is."""
        return self._episodes.get(address)

    def video(self, run: ReportRun, episode: ReportEpisode) -> Path | None:
        """The file of a video that is there and lies under the run's folder, links followed."""
        if not episode.filmed or not episode.video.resolve().is_relative_to(run.folder.resolve()):
            return None
        return episode.video

    def still(self, run: ReportRun, episode: ReportEpisode) -> bytes | None:
        """The picture that stands for the video, as a JPEG; of the end of the episode while there is no video.

        Raises:
            AmbidexError: The video is damaged, or nothing can be rendered.
        """
        video, job = self.video(run, episode), film_job(run, episode, self._look)
        if video is None:
            return None if job is None else self._studio.still(job)
        key = (video, video.stat().st_mtime_ns)
        if key not in self._posters:
            self._posters[key] = poster(video)
        return self._posters[key]

    def making(self, run: ReportRun, episode: ReportEpisode, *, begin: bool) -> Making:
        """How far the video is; with `begin`, it is made if it is missing.

        Raises:
            DatasetError: It can never be made.
        """
        job = film_job(run, episode, self._look)
        if job is None:
            if not episode.filmed:
                raise DatasetError(why_absent(episode))
            return Making(ready=True)
        return self._studio.request(job) if begin else self._studio.making(job)

    def _read(self) -> None:
        self._runs = read_runs(self._folders, self._look)
        self._episodes = {
            _address(index, episode): (run, episode) for index, run in enumerate(self._runs) for episode in run.episodes
        }

    def _media(self, index: int, episode: ReportEpisode) -> Media:
        if not episode.can_be_watched:
            return Media(kind="absent", why=why_absent(episode))
        return Media(kind="served", address=quote(_address(index, episode)), ready=episode.filmed)


def _address(run_index: int, episode: ReportEpisode) -> str:
    return f"/{run_index}/{task_folder(episode.task)}/{episode.seed}"
