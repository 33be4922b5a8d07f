"""Serves a gallery until Ctrl-C."""

import sys
from contextlib import closing

from ambidex.benchmarks.gallery.server.config import PORT, WatchConfig
from ambidex.benchmarks.gallery.server.http_server import HIGHEST_PORT, GalleryServer, PortInUseError
from ambidex.benchmarks.gallery.server.routes import Gallery
from ambidex.benchmarks.gallery.server.videos import Studio
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.command_line import print_message

COMMAND = "watch-rollouts"
ENDED = "The gallery is closed; the videos that were made stay."


def serve(config: WatchConfig, look: VideoStyle) -> None:
    """Serve a gallery, print its address, and go on until Ctrl-C.

    Raises:
        KeyboardInterrupt: How it ends.
        UsageError: A folder, a camera or the port is not what it should be.
        DatasetError: A folder is damaged.
    """
    with closing(Studio(quiet=config.quiet)) as studio:
        gallery = Gallery(config.paths, look, studio)
        with served_at(gallery, config.port, quiet=config.quiet) as server:
            for shortfall in [] if config.quiet else gallery.shortfalls:
                print_message(COMMAND, shortfall)
            sys.stdout.write(f"{server.address}\n")
            sys.stdout.flush()
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                raise KeyboardInterrupt(ENDED) from None


def served_at(gallery: Gallery, port: int | None, *, quiet: bool) -> GalleryServer:
    """A server at a port; without one at the usual port, or at the next that is free, which is said unless quiet.

    Raises:
        UsageError: The port is none, or somebody else uses it.
    """
    if port is not None:
        return GalleryServer(gallery, port)
    server = _at_the_next_free(gallery)
    if server.port != PORT and not quiet:
        print_message(
            COMMAND, f"Port {PORT} is in use, perhaps by another gallery, so this one is at port {server.port}."
        )
    return server


def _at_the_next_free(gallery: Gallery) -> GalleryServer:
    for port in range(PORT, HIGHEST_PORT):
        try:
            return GalleryServer(gallery, port)
        except PortInUseError:
            continue
    return GalleryServer(gallery, HIGHEST_PORT)
