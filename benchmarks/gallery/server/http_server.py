"""HTTP server of the gallery, on 127.0.0.1 alone."""

import errno
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from ambidex.benchmarks.gallery.runs import ReportEpisode, ReportRun
from ambidex.benchmarks.gallery.server.routes import Gallery
from ambidex.command_line import print_message
from ambidex.errors import AmbidexError, UsageError

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


# FOLDED benchmarks.gallery.watch_ranges: HTTP ranges: a browser that seeks in a video asks for a part of it.

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class RangeNotSatisfiableError(ValueError):
    """Nothing of what was asked for is in the file."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte to send, or None for all, as RFC 9110 section 14 has it.

    Args:
        header: The request's Range header, if it has one. What is no single range of bytes counts as none.
        size: Of the file [B].

    Raises:
        RangeNotSatisfiableError: The range lies beyond the end.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many bytes
        first, last = max(0, size - int(match[2])), size - 1
        beyond = int(match[2]) == 0 or size == 0
    else:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if match[2] and int(match[2]) < first:
            return None
        beyond = first >= size
    if beyond:
        raise RangeNotSatisfiableError(f"{header} of {size} bytes")
    return first, last


HOST = "127.0.0.1"
HIGHEST_PORT = 65535


class PortInUseError(UsageError):
    """Somebody else is served at the port."""


class GalleryServer(ThreadingHTTPServer):
    """Serves the gallery on 127.0.0.1, which no other machine reaches.

    Args:
        gallery: What is served.
        port: Where; 0 for any that is free.

    Attributes:
        gallery: What is served.

    Raises:
        UsageError: No port, or one that somebody else uses.
    """

    daemon_threads = True

    def __init__(self, gallery: Gallery, port: int) -> None:
        self.gallery = gallery
        self._complaints = set[str]()
        if not 0 <= port <= HIGHEST_PORT:
            raise UsageError(f"--port {port}: expected 1 to {HIGHEST_PORT}, or 0 for any that is free.")
        try:
            super().__init__((HOST, port), GalleryHandler)
        except OSError as error:
            raise _refusal(port, error) from error

    @property
    def port(self) -> int:
        """Where it serves."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/"

    def complain(self, exception: Exception) -> None:
        """Say on the terminal that a request broke, once for each way to break."""
        what = f"{type(exception).__name__}: {exception}".rstrip(": .")
        if what not in self._complaints:
            self._complaints.add(what)
            print_message(
                "watch-rollouts", f"A request could not be answered, most likely a defect of ambidex: {what}."
            )


def _refusal(port: int, error: OSError) -> AmbidexError:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"--port {port} is in use, perhaps by another gallery. Give another, 0 for any that is free, or leave the "
            "flag out for the next one that is."
        )
    if error.errno == errno.EACCES:
        return UsageError(f"--port {port} is not for you: the system says {error.strerror}. Give one above 1023.")
    return AmbidexError(f"No gallery could be served at {HOST}:{port}: {error}.")
