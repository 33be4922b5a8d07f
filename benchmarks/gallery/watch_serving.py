"""Serves a gallery until Ctrl-C."""

import sys
from contextlib import closing

from ambidex.benchmarks.gallery.watch_config import WatchConfig
from ambidex.benchmarks.gallery.watch_gallery import Gallery
from ambidex.benchmarks.gallery.watch_server import GalleryServer
from ambidex.benchmarks.gallery.watch_studio import Studio
from ambidex.benchmarks.look import Look

ENDED = "The gallery is closed; the videos that were made stay."


def serve(config: WatchConfig, look: Look) -> None:
    """Serve a gallery, print its address, and go on until Ctrl-C.

    Raises:
        KeyboardInterrupt: How it ends.
        UsageError: A folder, a camera or the port is not what it should be.
        DatasetError: A folder is damaged.
    """
    with closing(Studio(quiet=config.quiet)) as studio:
        gallery = Gallery(config.paths, look, studio)
        with GalleryServer(gallery, config.port) as server:
            sys.stdout.write(f"{server.address}\n")
            sys.stdout.flush()
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                raise KeyboardInterrupt(ENDED) from None
