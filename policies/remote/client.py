"""The client of a policy that speaks openpi's websocket protocol: one connection, one request at a time."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from ambidex.errors import MissingPackageError, RemoteConnectionError, RemotePolicyError, describe_error
from ambidex.policies.remote import API_KEY
from ambidex.policies.remote.array_codec import InvalidMessageError, pack, unpack
from ambidex.policies.remote.layouts import Request

try:
    from websockets.exceptions import InvalidStatus, WebSocketException
    from websockets.sync.client import ClientConnection, connect
except ModuleNotFoundError as missing:
    raise MissingPackageError(missing, "remote", "A policy over a network") from missing

CONNECT_S = 60.0  # for the connection, and for the metadata: some servers do nothing while they answer others [s]
FIRST_ANSWER_S = 300.0  # for the first answer on a connection, before which a policy may be compiled [s]
ANSWER_S = 60.0  # for later ones [s]
MAX_FRAME = 64 * 2**20  # [B]
MAX_METADATA = 2**20  # [B]
MAX_TRACEBACK = 4000  # of which the end is kept [characters]
LOST = (OSError, EOFError, WebSocketException)  # what is raised when a connection ends or does not answer
TRACEBACK = "Traceback (most recent call last)"
SESSION = "needs_session_id"  # servers of RoboArena's variant have it in their metadata


@dataclass(frozen=True, kw_only=True)
class RemoteServer:
    """Where a policy is served.

    Attributes:
        url: Its address, ws:// or wss://.
        timeout_s: How long to wait for an answer [s]; None for `FIRST_ANSWER_S`, then `ANSWER_S`.
        metadata_sha256: SHA-256 of the metadata that it must send; empty for any.
    """

    url: str
    timeout_s: float | None = None
    metadata_sha256: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """An answer of a server.

    Attributes:
        content: The message.
        request_ms: From sending the request to receiving the answer [ms].
        infer_ms: How long the server says that its policy took [ms]; None if it does not say.
    """

    content: object
    request_ms: float
    infer_ms: float | None


class RemotePolicy:
    """A connection to a server: made by `start_episode`, and once more if a request finds that it is lost.

    A server of RoboArena's variant is told of every episode. openpi's own protocol has no such message, so each episode
    has a connection of its own there: a server that keeps a history keeps it for a connection.

    Attributes:
        metadata: What the server says about its policy.
        metadata_sha256: SHA-256 of that message.
        unavailable: Why the server can no longer be used; None while it can.
    """

    def __init__(self, server: RemoteServer) -> None:
        self._server, self._session = server, ""
        self.unavailable: RemoteConnectionError | None = None
        self._connection: ClientConnection | None = None
        self._opened = ExitStack()  # closes it
        self._answered = False  # whether this connection has answered a request
        self.metadata: Mapping[str, Any] = {}
        self.metadata_sha256 = ""

    def start_episode(self, session: str) -> None:
        """Tell the server that an episode starts, if it wants to know; the session is unique to the episode.

        Raises:
            RemoteConnectionError: There is no such server, it refuses the connection, or its metadata are not the
                expected.
            RemotePolicyError: The policy failed on the message; it may still have the history of another episode.
        """
        self._session = session
        if SESSION not in self.metadata:
            self.close()
        if self._connection is None:
            self._connect()
        if SESSION in self.metadata:
            reset = self._with_session({}, "reset")
            answer = self._exchange(reset, lambda: reset)
            if isinstance(answer, str) and TRACEBACK in answer:
                raise self._failure(answer)

    def infer(self, request: Request, again: Callable[[], Request] | None = None) -> Answer:
        """The policy's answer to a request; blocks until it arrives.

        Args:
            request: The request.
            again: Makes what a new connection is sent instead, if this one is lost; None for the same.

        Raises:
            RemotePolicyError: The policy failed on this request; the message has its traceback.
            RemoteConnectionError: The server is gone, or does not answer in time.
        """
        started = time.perf_counter()
        frame = self._exchange(
            self._with_session(request, "infer"), lambda: self._with_session(again() if again else request, "infer")
        )
        took = 1000 * (time.perf_counter() - started)
        if isinstance(frame, str):
            raise self._failure(frame)
        self._answered = True
        try:
            content = unpack(frame)
        except InvalidMessageError as error:
            raise RemotePolicyError(f"The answer of the server cannot be read. {error.problem}") from error
        return Answer(content=content, request_ms=took, infer_ms=_infer_ms(content))

    def raise_if_unavailable(self) -> None:
        """Raise the RemoteConnectionError that made the server unavailable, if there was one."""
        if self.unavailable is not None:
            raise self.unavailable

    def close(self) -> None:
        """Close the connection; a later request makes it again."""
        self._connection = None
        with suppress(*LOST):  # it may be broken already
            self._opened.close()

    def _failure(self, text: str) -> RemotePolicyError:
        self.close()  # a server of openpi closes the connection after it
        return RemotePolicyError(_describe_failure(text))

    def _with_session(self, request: Request, endpoint: str) -> Request:
        if SESSION not in self.metadata:
            return request
        session = {"session_id": self._session} if self.metadata[SESSION] else {}
        return {**request, "endpoint": endpoint, **session}

    def _exchange(self, request: Request, again: Callable[[], Request]) -> str | bytes:
        """Send a request and return the next frame; if the connection is lost, send `again` on a new one."""
        frame = pack(request)
        with suppress(*LOST):
            return self._send(frame)
        self.close()
        frame = pack(again())
        try:
            return self._send(frame)
        except LOST as error:
            self.close()
            self.unavailable = self._lost(error)
            raise self.unavailable from error

    def _send(self, frame: bytes) -> str | bytes:
        if self._connection is None:
            self._connect()
        assert self._connection is not None
        self._connection.send(frame)
        return self._connection.recv(self._timeout_s)

    @property
    def _connect_s(self) -> float:
        return max(CONNECT_S, self._server.timeout_s or 0.0)

    @property
    def _timeout_s(self) -> float:
        return self._server.timeout_s or (ANSWER_S if self._answered else FIRST_ANSWER_S)

    def _lost(self, error: Exception) -> RemoteConnectionError:
        reason = f"no answer within {self._timeout_s:g} s" if isinstance(error, TimeoutError) else describe_error(error)
        problem = f"The policy server at {self._server.url} does not answer ({reason}), also on a new connection."
        hint = "Look at its output, and start it again. A slow server needs a larger --timeout."
        return RemoteConnectionError(problem, hint, url=self._server.url)

    def _connect(self) -> None:
        try:
            self._open()
        except RemoteConnectionError as error:
            self.unavailable = error
            raise

    def _open(self) -> None:
        self._connection, self._answered = open_connection(self._server.url, self._opened, self._connect_s), False
        frame = self._first_frame()
        digest = sha256(frame).hexdigest()
        if digest != (self._server.metadata_sha256 or digest):
            problem = f"Another policy answers at {self._server.url} now: its metadata have changed."
            raise RemoteConnectionError(problem, "Serve the same policy again.", url=self._server.url)
        try:
            metadata = unpack(frame)
        except InvalidMessageError as error:
            raise self._no_metadata(error.problem) from error
        if not isinstance(metadata, dict):
            raise self._no_metadata(f"The first frame has {type(metadata).__name__} instead of a map.")
        self.metadata, self.metadata_sha256 = metadata, digest
        self._server = replace(self._server, metadata_sha256=digest)  # also of later connections

    def _first_frame(self) -> bytes:
        assert self._connection is not None
        try:
            frame = self._connection.recv(self._connect_s)
        except TimeoutError as error:
            raise self._no_metadata(f"No frame came within {self._connect_s:g} s.") from error
        except LOST as error:
            raise self._no_metadata(f"The connection ended: {describe_error(error)}.") from error
        if isinstance(frame, str) or len(frame) > MAX_METADATA:
            raise self._no_metadata(f"The first frame has {len(frame)} bytes and begins with {frame[:80]!r}.")
        return frame

    def _no_metadata(self, reason: str) -> RemoteConnectionError:
        self.close()
        problem = f"The server at {self._server.url} sent no metadata. {reason}"
        hint = "Expected a server of openpi's websocket protocol, whose first frame is a map in msgpack."
        return RemoteConnectionError(problem, hint, url=self._server.url)


def open_connection(url: str, stack: ExitStack, timeout_s: float) -> ClientConnection:
    """Connect to a websocket server, with the key of `API_KEY` if there is one; the stack closes the connection.

    Raises:
        RemoteConnectionError: There is none, or it refuses.
    """
    try:
        connection: ClientConnection = stack.enter_context(
            connect(
                url,
                additional_headers=_authorization(),
                compression=None,
                max_size=MAX_FRAME,
                open_timeout=timeout_s,
                close_timeout=1.0,
                ping_interval=None,  # a server may compute for minutes without answering pings
            )
        )
        return connection
    except InvalidStatus as error:
        status = error.response.status_code
        problem = f"The server at {url} refuses the connection: HTTP status {status}."
        raise RemoteConnectionError(problem, _refusal_hint(status), url=url, got=status) from error
    except LOST as error:
        problem = f"No policy server can be reached at {url} ({describe_error(error)})."
        raise RemoteConnectionError(problem, "Check the address, and that the server has started.", url=url) from error


def _authorization() -> dict[str, str]:
    """The key as openpi expects it; a value of two words, such as "Bearer KEY", is sent as it is."""
    key = os.environ.get(API_KEY, "").strip()
    return {"Authorization": key if " " in key else f"Api-Key {key}"} if key else {}


def _refusal_hint(status: int) -> str:
    if status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "Check the address."
    if _authorization():
        return f"It does not accept the key in the environment variable {API_KEY}: check it."
    return f"Set the environment variable {API_KEY} to the key of the server."


def _describe_failure(text: str) -> str:
    """The text that a server sent instead of an answer, usually a traceback: its last line, then its end."""
    lines = text.strip().splitlines() or ["an empty text"]
    return f"The policy failed on its server: {lines[-1][:500]}\n{text.strip()[-MAX_TRACEBACK:]}".rstrip()


def _infer_ms(content: object) -> float | None:
    timing = content.get("server_timing") if isinstance(content, dict) else None
    value = timing.get("infer_ms") if isinstance(timing, dict) else None
    return float(value) if isinstance(value, int | float) and 0 <= value < float("inf") else None
