"""Serves a gallery from a thread of the test, and asks it."""

import http.client
import json
import threading
import time
from contextlib import closing, contextmanager

from ambidex.benchmarks.gallery.server.http_server import GalleryServer
from ambidex.benchmarks.gallery.server.routes import Gallery
from ambidex.benchmarks.gallery.server.videos import VideoMaker
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE


@contextmanager
def served(*folders, style=DEFAULT_STYLE):
    """The server of a gallery; `address` is its URL."""
    with (
        closing(VideoMaker(quiet=True)) as maker,
        GalleryServer(Gallery(folders, style, maker), 0) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server, path, method="GET", **headers):
    """Status, headers and body of the response; the path is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=60)
    with closing(connection):
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def make_video(server, address):
    """Have a video made and wait for it; returns every status that was reported."""
    states = [json.loads(ask(server, f"{address}.mp4", "POST")[2])]
    deadline = time.monotonic() + 60
    while not states[-1]["ready"] and not states[-1]["error"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
        states.append(json.loads(ask(server, f"{address}.json")[2]))
    return states
