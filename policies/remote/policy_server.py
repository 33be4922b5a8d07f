"""Serves a policy over a network by openpi's websocket protocol. Messages are data: nothing in them is executed."""

import errno
import hmac
import logging
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Self

from ambidex.errors import AmbidexError, MissingPackageError, UsageError
from ambidex.policies.messages import Chunk
from ambidex.policies.remote.array_codec import InvalidMessageError, pack, unpack
from ambidex.policies.remote.requests import metadata, read_request
from ambidex.policies.serving.client import ErrorReply, ServedPolicy
from ambidex.policies.serving.history import KeptFrames
from ambidex.policies.serving.history import Request as PolicyRequest

try:
    from websockets.exceptions import ConnectionClosed
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection, serve
except ModuleNotFoundError as missing:
    raise MissingPackageError(missing, "remote", "A policy over a network") from missing

MAX_MESSAGE = 32 << 20  # with one observation [B]
MAX_PORT = 65535
HEALTH = "/healthz"
INTERNAL_ERROR = 1011  # of websockets
REASON = "Internal server error. Traceback included in previous frame."
HANDSHAKE_S, CLOSE_S = 5.0, 2.0  # for a client to complete the handshake, and to answer when it is closed [s]

logger = logging.getLogger(__name__)
logger.addHandler(logging.NullHandler())  # else port scans would print tracebacks


class RemotePolicyServer:
    """Answers the requests of any number of clients, each on a thread of its own, from its construction on.

    The first message to a client is `metadata`. A request that fails is answered with its traceback as text, and the
    connection is closed. `GET /healthz` is answered without a key. Connections from web pages are refused.

    Args:
        policy: The policy.
        predict: Answers an observation or a window; called by several threads at once.
        host: Name or address to listen at.
        port: Port; 0 for any that is free.
        api_key: What clients must send as `Authorization: Api-Key KEY` or `Bearer KEY`; empty to admit all.
        weights_sha256: SHA-256 of the weights, for the metadata.
        report: Called with the last line of the traceback of a request that failed.

    Raises:
        UsageError: It cannot listen there.
    """

    def __init__(
        self,
        policy: ServedPolicy,
        predict: Callable[[PolicyRequest], Chunk | ErrorReply],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = "",
        weights_sha256: str = "",
        report: Callable[[str], None] = logger.warning,
    ) -> None:
        self._policy, self._predict, self._report = policy, predict, report
        self._api_key = api_key.encode()
        self._metadata = pack(metadata(policy, weights_sha256=weights_sha256))
        if not 0 <= port <= MAX_PORT:
            raise UsageError(f"--port {port}: expected 1 to {MAX_PORT}, or 0 for any that is free.", port=port)
        try:
            self._server = serve(
                self._converse,
                host,
                port,
                process_request=self._admit,
                origins=[None],  # browsers send one: a web page could otherwise reach a server on 127.0.0.1
                compression=None,
                max_size=MAX_MESSAGE * policy.inputs.history,
                max_queue=1,
                open_timeout=HANDSHAKE_S,
                close_timeout=CLOSE_S,
                logger=logger,
            )
        except OSError as error:
            raise _listen_error(host, port, error) from error
        self._host, self.port = host, int(self._server.socket.getsockname()[1])
        # In another thread, where no signal interrupts it halfway through accepting a client.
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The URL for clients."""
        return f"ws://{self._host}:{self.port}"

    def close(self) -> None:
        """Stop listening, close all connections and wait for them; `predict` must still work. Safe to call twice."""
        self._server.shutdown()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == HEALTH:
            return connection.respond(HTTPStatus.OK, "OK\n")
        if self._api_key and not self._has_key(request):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Expected the header Authorization: Api-Key KEY\n")
        return None

    def _has_key(self, request: Request) -> bool:
        given = [value.encode(errors="surrogateescape") for value in request.headers.get_all("Authorization")]
        accepted = [scheme + self._api_key for scheme in (b"Api-Key ", b"Bearer ")]
        return any(hmac.compare_digest(value, key) for value in given for key in accepted)

    def _converse(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            connection.send(self._metadata)
            previous_s, kept = None, KeptFrames(self._policy.inputs.offsets)  # freed with the connection
            for frame in connection:
                started = time.perf_counter()
                try:
                    answer = self._answer(frame, previous_s, kept)
                except Exception as error:
                    self._fail(connection, error)
                    return
                connection.send(answer)
                previous_s = time.perf_counter() - started

    def _answer(self, frame: str | bytes, previous_s: float | None, kept: KeptFrames) -> bytes:
        started = time.perf_counter()
        if isinstance(frame, str):
            raise InvalidMessageError("A request is a text frame; expected a binary one.")
        request = kept.complete(read_request(unpack(frame), self._policy))
        asked = time.perf_counter()
        reply = self._predict(request)
        if isinstance(reply, ErrorReply):
            raise _PredictionError(reply)
        now = time.perf_counter()
        previous = {} if previous_s is None else {"prev_total_ms": 1000 * previous_s}
        return pack(
            {
                "actions": reply.actions,
                "server_timing": {"infer_ms": 1000 * (now - started), **previous},
                "policy_timing": {"infer_ms": 1000 * (now - asked)},
            }
        )

    def _fail(self, connection: ServerConnection, error: Exception) -> None:
        text = error.reply.traceback if isinstance(error, _PredictionError) else traceback.format_exc()
        self._report(text.strip().rpartition("\n")[2])
        connection.send(text)
        connection.close(INTERNAL_ERROR, REASON)


class _PredictionError(Exception):
    def __init__(self, reply: ErrorReply) -> None:
        super().__init__(reply.message)
        self.reply = reply


def _listen_error(host: str, port: int, error: OSError) -> AmbidexError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"--port {port} is in use.", "Give another one, or 0 for any that is free.", port=port)
    if error.errno == errno.EACCES:
        return UsageError(f"--port {port}: {error.strerror}.", "Give a port above 1023.", port=port)
    hint = "Give an address of this machine, 127.0.0.1 for itself or 0.0.0.0 for all networks it is in."
    return UsageError(f"--host {host}: {error.strerror or error}.", hint, host=host, port=port)
