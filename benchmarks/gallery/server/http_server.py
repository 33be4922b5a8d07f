"""HTTP server of the gallery, which only this machine can reach."""

import errno
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import closing, suppress
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from ambidex.benchmarks.gallery.model import GalleryEpisode, GalleryRun
from ambidex.benchmarks.gallery.server.routes import Gallery
from ambidex.benchmarks.gallery.server.videos import VideoMaker
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.command_line import print_message, print_result
from ambidex.errors import AmbidexError, UsageError
from ambidex.text import printable

COMMAND = "watch-rollouts"
HOST = "127.0.0.1"
PORT, MAX_PORT = 8400, 65535
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MAX_BODY, MAX_DIGITS = 1 << 16, 10  # of a POST, whose content is ignored [B], and of its Content-Length
BLOCK = 1 << 16  # [B]
TEXT = "text/plain; charset=utf-8"
LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
DISCONNECTED = (BrokenPipeError, ConnectionResetError)  # browsers close the connection when they have enough of a video


def serve(folders: Sequence[Path], style: VideoStyle, *, port: int | None, quiet: bool) -> None:
    """Serve a gallery and print its address, until Ctrl-C, which raises a KeyboardInterrupt.

    Args:
        folders: One results folder or dataset, or two to compare.
        style: Style of the videos.
        port: Port; None for the default one, or the next one that is free.
        quiet: Print only the address.

    Raises:
        UsageError: A folder, a camera or the port is wrong.
        DatasetError: A folder is damaged.
    """
    with closing(VideoMaker(quiet=quiet)) as maker:
        gallery = Gallery(folders, style, maker)
        with _server(gallery, port) as server:
            if port is None and server.port != PORT and not quiet:
                print_message(COMMAND, f"Port {PORT} is in use, perhaps by another gallery; using port {server.port}.")
            for warning in [] if quiet else gallery.incomplete:
                print_message(COMMAND, warning)
            print_result(server.address)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                raise KeyboardInterrupt("The gallery is closed; videos that were made are kept.") from None


def _server(gallery: Gallery, port: int | None) -> "GalleryServer":
    if port is not None:
        return GalleryServer(gallery, port)
    for candidate in range(PORT, MAX_PORT):
        with suppress(PortInUseError):
            return GalleryServer(gallery, candidate)
    return GalleryServer(gallery, MAX_PORT)


class PortInUseError(UsageError):
    """Another program uses the port."""


class GalleryServer(ThreadingHTTPServer):
    """Serves the gallery on 127.0.0.1, which other machines cannot reach.

    Args:
        gallery: What is served.
        port: Port; 0 for any that is free.

    Raises:
        UsageError: Not a port, or one that is in use.
    """

    daemon_threads = True

    def __init__(self, gallery: Gallery, port: int) -> None:
        self.gallery = gallery
        self._reported = set[str]()
        if not 0 <= port <= MAX_PORT:
            raise UsageError(f"--port {port}: expected 1 to {MAX_PORT}, or 0 for any that is free.", port=port)
        try:
            super().__init__((HOST, port), GalleryHandler)
        except OSError as error:
            raise _bind_error(port, error) from error

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """The URL to open in a browser."""
        return f"http://{HOST}:{self.port}/"

    def report_bug(self, exception: Exception) -> None:
        """Print that a request failed unexpectedly, once for each message."""
        text = f"{type(exception).__name__}: {exception}".rstrip(": .")
        if text not in self._reported:
            self._reported.add(text)
            print_message(COMMAND, f"A request could not be answered, most likely a bug in ambidex: {text}.")


def _bind_error(port: int, error: OSError) -> AmbidexError:
    if error.errno == errno.EADDRINUSE:
        hint = "Give another, 0 for any that is free, or leave the flag out for the next one that is free."
        return PortInUseError(f"--port {port} is in use, perhaps by another gallery.", hint, port=port)
    if error.errno == errno.EACCES:
        return UsageError(f"--port {port}: {error.strerror}.", "Give a port above 1023.", port=port)
    return AmbidexError(f"The gallery cannot listen at {HOST}:{port}: {error}.", port=port)


class GalleryHandler(BaseHTTPRequestHandler):
    """Answers the requests of the page: GET and HEAD for content, POST to have a video made."""

    server: GalleryServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the base class calls it by this name
        """Send the page, a video, a poster, or the status of a video."""
        self._respond(self._get)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        """Have a video made."""
        self._respond(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the base class would print every request."""

    def _respond(self, respond: Callable[[str], None]) -> None:
        try:
            if self._is_cross_origin():
                self._send_text(HTTPStatus.FORBIDDEN, "This gallery answers only to its own page.")
            else:
                respond(unquote(self.path.partition("?")[0]))
        except DISCONNECTED:
            self.close_connection = True
        except CancelledError:
            self._send_text(HTTPStatus.SERVICE_UNAVAILABLE, "The gallery is being closed.")
        except AmbidexError as error:
            self._send_text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except Exception as exception:  # shown on the page and on the terminal
            self.server.report_bug(exception)
            self._send_text(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(exception).__name__}: {exception}")

    def _is_cross_origin(self) -> bool:
        """Whether a page of another site asks, under its own name or one that it made resolve to this machine.

        The port may differ from the server's: it is that of the tunnel if the browser runs on another machine.
        """
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin", f"http://{host}")
        return LOCAL_HOST.fullmatch(host) is None or origin != f"http://{host}"

    def _get(self, path: str) -> None:
        if path == "/":
            self._send(self.server.gallery.page().encode(), "text/html; charset=utf-8")
            return
        self._answer(path, {"mp4": self._send_video, "jpg": self._send_poster, "json": self._send_status})

    def _post(self, path: str) -> None:
        length = (self.headers.get("Content-Length") or "0").strip()
        if re.fullmatch("[0-9]+", length) is None:
            self.close_connection = True
            self._send_text(HTTPStatus.BAD_REQUEST, f"Content-Length is {length!r}, expected a number of bytes.")
        elif len(length) > MAX_DIGITS or int(length) > MAX_BODY:
            self.close_connection = True
            self._send_text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Requests have at most {MAX_BODY} bytes.")
            self._discard(int(length[:MAX_DIGITS]))
        else:
            self.rfile.read(int(length))
            self._answer(path, {"mp4": partial(self._send_status, start=True)})

    def _discard(self, length: int) -> None:
        """Take what the client still sends, so that it reads the answer instead of a broken connection."""
        while length > 0 and (block := self.rfile.read(min(length, BLOCK))):
            length -= len(block)

    def _answer(self, path: str, answers: Mapping[str, Callable[[GalleryRun, GalleryEpisode], None]]) -> None:
        """Answer a request for an episode by the ending of its path."""
        address, _, kind = path.rpartition(".")
        found = self.server.gallery.episode(address)
        if found is None or kind not in answers:
            self._send_text(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        else:
            answers[kind](*found)

    def _send_status(self, run: GalleryRun, episode: GalleryEpisode, *, start: bool = False) -> None:
        status = self.server.gallery.video_status(run, episode, start=start)
        self._send(json.dumps(asdict(status)).encode(), "application/json")

    def _send_poster(self, run: GalleryRun, episode: GalleryEpisode) -> None:
        image = self.server.gallery.poster(run, episode)
        if image is None:
            self._send_text(HTTPStatus.NOT_FOUND, "There is no image of this episode.")
        else:
            self._send(image, "image/jpeg")

    def _send_video(self, run: GalleryRun, episode: GalleryEpisode) -> None:
        video = self.server.gallery.video(run, episode)
        if video is None:
            self._send_text(HTTPStatus.NOT_FOUND, "There is no video of this episode yet.")
        else:
            self._send_file(video, "video/mp4")

    def _send_file(self, file: Path, kind: str) -> None:
        with file.open("rb") as content:
            size = file.stat().st_size
            try:
                part = byte_range(self.headers.get("Range"), size)
            except RangeNotSatisfiableError:
                status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
                self._send_head(status, TEXT, 0, {"Content-Range": f"bytes */{size}"})
                return
            first, last = part or (0, size - 1)
            extra = {"Content-Range": f"bytes {first}-{last}/{size}"} if part else {}
            status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
            self._send_head(status, kind, last - first + 1, {"Accept-Ranges": "bytes", **extra})
            content.seek(first)
            self._copy(content, last - first + 1)

    def _copy(self, content: BinaryIO, length: int) -> None:
        while self.command != "HEAD" and length > 0 and (block := content.read(min(length, BLOCK))):
            self.wfile.write(block)
            length -= len(block)

    def _send_text(self, status: HTTPStatus, text: str) -> None:
        self._send(printable(text).encode(), TEXT, status)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send_head(status, kind, len(content), {})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_head(self, status: HTTPStatus, kind: str, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **HEADERS, **headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


class RangeNotSatisfiableError(ValueError):
    """The file has none of the requested bytes."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte to send, or None for the whole file, as defined in RFC 9110 section 14.

    Args:
        header: The request's Range header, if it has one. Anything but a single range of bytes is ignored.
        size: Of the file [B].

    Raises:
        RangeNotSatisfiableError: The range starts after the end.
    """
    match = RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many bytes
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), int(match[2] or size - 1)
        if match[2] and last < first:
            return None
    if first >= size:
        raise RangeNotSatisfiableError(f"{header} of {size} bytes")
    return first, min(last, size - 1)
