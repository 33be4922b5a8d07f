"""Addresses of the gallery: the page, and the video, poster and video status of every episode."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from ambidex.benchmarks.gallery.model import GalleryEpisode, GalleryRun, Media, PageModel
from ambidex.benchmarks.gallery.page import page
from ambidex.benchmarks.gallery.poster import poster
from ambidex.benchmarks.gallery.report import why_absent
from ambidex.benchmarks.gallery.server.videos import VideoMaker, VideoStatus
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.layout import task_folder


class Gallery:
    """What is served. Only episodes have addresses, so no other file can be requested.

    Args:
        folders: One results folder or dataset, or two to compare; see `read_runs` for its errors.
        style: Style of the videos.
        maker: Makes missing videos.
    """

    def __init__(self, folders: Sequence[Path], style: VideoStyle, maker: VideoMaker) -> None:
        self._folders, self._style, self._maker = folders, style, maker
        self._posters: dict[tuple[Path, int], bytes] = {}
        self._read()

    @property
    def incomplete(self) -> list[str]:
        """A warning for each run that lacks episodes."""
        return [run.incomplete for run in self._runs if run.incomplete]

    def page(self) -> str:
        """The page. The folders are read again, because a run may still write into them."""
        self._read()
        return page(PageModel(runs=self._runs, media=self._media))

    def episode(self, address: str) -> tuple[GalleryRun, GalleryEpisode] | None:
        """The run and the episode at an address; None if there is none."""
        return self._episodes.get(address)

    def video(self, run: GalleryRun, episode: GalleryEpisode) -> Path | None:
        """The video, if it exists and is in the run's folder after links are followed."""
        if not episode.has_video or not episode.video.resolve().is_relative_to(run.folder.resolve()):
            return None
        return episode.video

    def poster(self, run: GalleryRun, episode: GalleryEpisode) -> bytes | None:
        """The last frame of the video, or of the episode while there is no video, as a JPEG; None without states."""
        video, job = self.video(run, episode), run.video_job(episode, self._style)
        if video is None:
            return None if job is None else self._maker.poster(job)
        key = (video, video.stat().st_mtime_ns)
        if key not in self._posters:
            self._posters[key] = poster(video)
        return self._posters[key]

    def video_status(self, run: GalleryRun, episode: GalleryEpisode, *, start: bool) -> VideoStatus:
        """How far the video has been made; with `start`, a missing video is requested."""
        job = run.video_job(episode, self._style)
        if job is None:
            if not episode.has_video:
                raise DatasetError(why_absent(episode))
            return VideoStatus(ready=True)
        return self._maker.request(job) if start else self._maker.status(job)

    def _read(self) -> None:
        self._runs = read_runs(self._folders, self._style)
        self._episodes = {
            _address(i, episode): (run, episode) for i, run in enumerate(self._runs) for episode in run.episodes
        }

    def _media(self, index: int, episode: GalleryEpisode) -> Media:
        if not episode.can_be_watched:
            return Media(kind="absent", why=why_absent(episode))
        return Media(kind="served", address=quote(_address(index, episode)), ready=episode.has_video)


def _address(run_index: int, episode: GalleryEpisode) -> str:
    cell = f"/{episode.cell.folder}" if episode.cell.level else ""
    return f"/{run_index}{cell}/{task_folder(episode.task)}/{episode.seed}"
