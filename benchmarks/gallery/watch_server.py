"""Serves the gallery on this machine alone."""

import errno
from http.server import ThreadingHTTPServer

from ambidex.benchmarks.gallery.watch_gallery import Gallery
from ambidex.benchmarks.gallery.watch_handler import GalleryHandler
from ambidex.command_line import say
from ambidex.errors import AmbidexError, UsageError

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
            say("watch-rollouts", f"A request could not be answered, most likely a defect of ambidex: {what}.")


def _refusal(port: int, error: OSError) -> AmbidexError:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"--port {port} is in use, perhaps by another gallery. Give another, 0 for any that is free, or leave the "
            "flag out for the next one that is."
        )
    if error.errno == errno.EACCES:
        return UsageError(f"--port {port} is not for you: the system says {error.strerror}. Give one above 1023.")
    return AmbidexError(f"No gallery could be served at {HOST}:{port}: {error}.")
