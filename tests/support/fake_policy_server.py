"""A policy server of openpi's protocol on threads of the test process, with answers that a test chooses."""

import threading
from contextlib import suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from ambidex.policies.remote.array_codec import pack, unpack


class HangUpError(Exception):
    """Raised by an answer: the server closes the connection with this code, or without a word if there is none."""

    def __init__(self, code=None):
        self.code = code


class FakePolicyServer:
    """Answers each request with `answer(request, number)`: bytes and text as they are, anything else packed.

    `number` counts the requests of all connections from 0. `greeting` is the first frame. Requests and the headers of
    connections are kept.
    """

    def __init__(self, answer=None, greeting=b"\x80", port=0):
        self.answer = answer or (lambda request, number: {"actions": request["x"]})
        self.greeting, self.requests, self.headers = greeting, [], []
        self._lock, self._connections = threading.Lock(), []
        self._server = serve(self._converse, "127.0.0.1", port, compression=None, max_size=None)
        self.port = self._server.socket.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        for connection in self._connections:
            connection.close()

    def _converse(self, connection):
        self._connections.append(connection)
        self.headers.append(connection.request.headers)
        with suppress(ConnectionClosed, OSError):
            if self.greeting is not None:
                connection.send(self.greeting)
            for frame in connection:
                self._reply(connection, unpack(frame))

    def _reply(self, connection, request):
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        try:
            answer = self.answer(request, number)
        except HangUpError as hang_up:
            if hang_up.code is None:
                connection.close_socket()
            else:
                connection.close(hang_up.code)
            return
        connection.send(answer if isinstance(answer, bytes | str) else pack(answer))
