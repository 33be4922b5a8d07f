"""Answers the requests of the gallery."""

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.gallery.watch_ranges import RangeNotSatisfiableError, byte_range
from ambidex.errors import AmbidexError

if TYPE_CHECKING:
    from ambidex.benchmarks.gallery.watch_server import GalleryServer

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HERE = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
LEFT = (BrokenPipeError, ConnectionResetError)  # a browser that has seen enough of a video hangs up


class GalleryHandler(BaseHTTPRequestHandler):
    """Answers the requests of the gallery: GET and HEAD of what is there, POST to have a video made."""

    server: "GalleryServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the base class calls it so
        """The page, a video, a still, or how far a video is."""
        self._answer(self._get)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        """Have a video made."""
        self._answer(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is for what matters."""

    def _answer(self, answer: Callable[[str], None]) -> None:
        try:
            if self._stranger():
                self._send_error(HTTPStatus.FORBIDDEN, "This gallery is for pages of its own address alone.")
            else:
                answer(unquote(self.path.partition("?")[0]))
        except LEFT:
            self.close_connection = True
        except CancelledError:
            self._send_error(HTTPStatus.SERVICE_UNAVAILABLE, "The gallery is being closed.")
        except AmbidexError as error:
            self._send_error(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except Exception as exception:  # a defect; whoever watches and whoever started the server hear of it
            self.server.complain(exception)
            self._send_error(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(exception).__name__}: {exception}")

    def _stranger(self) -> bool:
        """Whether a page of another site asks, in its own name or under a name that it made point here.

        The port may be another than the server's: that of a tunnel from the machine where the browser runs.
        """
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin", f"http://{host}")
        return HERE.fullmatch(host) is None or origin != f"http://{host}"

    def _get(self, path: str) -> None:
        if path == "/":
            self._send(self.server.gallery.page().encode(), "text/html; charset=utf-8")
            return
        address, _, kind = path.rpartition(".")
        found = self.server.gallery.episode(address)
        send = {"mp4": self._send_video, "jpg": self._send_still, "json": self._send_making}.get(kind)
        if found is None or send is None:
            self._send_error(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        else:
            send(*found)

    def _post(self, path: str) -> None:
        address, _, kind = path.rpartition(".")
        found = self.server.gallery.episode(address) if kind == "mp4" else None
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if found is None:
            self._send_error(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        else:
            self._send_making(*found, begin=True)

    def _send_making(self, run: ReportRun, episode: ReportEpisode, *, begin: bool = False) -> None:
        making = self.server.gallery.making(run, episode, begin=begin)
        self._send(json.dumps(making.to_dict()).encode(), "application/json")

    def _send_still(self, run: ReportRun, episode: ReportEpisode) -> None:
        still = self.server.gallery.still(run, episode)
        if still is None:
            self._send_error(HTTPStatus.NOT_FOUND, "There is no picture of this episode.")
        else:
            self._send(still, "image/jpeg")

    def _send_video(self, run: ReportRun, episode: ReportEpisode) -> None:
        video = self.server.gallery.video(run, episode)
        if video is None:
            self._send_error(HTTPStatus.NOT_FOUND, "There is no video of this episode yet.")
        else:
            self._send_file(video, "video/mp4")

    def _send_file(self, file: Path, kind: str) -> None:
        with file.open("rb") as content:
            size = file.stat().st_size
            try:
                part = byte_range(self.headers.get("Range"), size)
            except RangeNotSatisfiableError:
                self._send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "", {"Content-Range": f"bytes */{size}"})
                return
            first, last = part or (0, size - 1)
            where = {"Content-Range": f"bytes {first}-{last}/{size}"} if part else {}
            status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
            self._send_head(status, kind, last - first + 1, {"Accept-Ranges": "bytes", **where})
            content.seek(first)
            self._copy(content, last - first + 1)

    def _copy(self, content: BinaryIO, length: int) -> None:
        while self.command != "HEAD" and length > 0 and (block := content.read(min(length, 1 << 16))):
            self.wfile.write(block)
            length -= len(block)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send_head(status, kind, len(content), {})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_error(self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> None:
        content = text.encode()
        self._send_head(status, "text/plain; charset=utf-8", len(content), headers or {})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_head(self, status: HTTPStatus, kind: str, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
