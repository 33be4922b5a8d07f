"""A policy server: collects the requests of many clients into forward passes and answers each.

torch is imported by `PolicyServer.serve` and not before, so that the socket accepts connections immediately.
"""

import os
import queue
import secrets
import socket
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener, answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Self

from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.serving.client import Address, ErrorReply, ServedPolicy

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import torch

    from ambidex.policies.policy import Policy
    from ambidex.policies.serving.fixed_batch import FixedBatch

    ClientConnection = Connection[Chunk | ErrorReply | ServedPolicy, ObservationMessage]

LISTEN_BACKLOG = 512  # clients that may wait to be accepted
AUTHENTICATION_S = 30.0  # for a client to prove that it knows the secret [s]
CLOSE_S = 5.0  # for threads to end when the server closes [s]; they are daemons


@dataclass(frozen=True, kw_only=True, eq=False)
class _Request:
    connection: "ClientConnection"
    message: ObservationMessage


class PolicyServer:
    """Answers requests for a policy's chunks. Use it as a context manager; its socket listens from the start.

    Clients may connect before `serve` is called and then wait, so that workers start while the policy is loaded.
    Without an address it listens at a socket file of this machine; without a secret it makes a new one.

    Attributes:
        address: Where clients connect.
        authkey: The secret that clients must know.
        batch_size: Rows of every forward pass; 0 before `serve`.
        notes: Notes about reproducibility; empty if answers are repeatable and independent of other requests.
        first_failure: Traceback of the first request that raised an error; empty if there is none.
    """

    def __init__(self, address: tuple[str, int] | None = None, authkey: bytes | None = None) -> None:
        self.authkey = authkey or secrets.token_bytes(32)
        family = "AF_UNIX" if address is None else "AF_INET"
        self._listener = Listener(address, family, backlog=LISTEN_BACKLOG)  # `_receive_loop` authenticates
        self.address: Address = self._listener.address
        self.batch_size = 0
        self.notes: tuple[str, ...] = ()
        self.first_failure = ""
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._predict_threads: list[threading.Thread] = []
        self._accept_thread: threading.Thread | None = None
        self._connections: list[ClientConnection] = []
        self._closing = threading.Event()
        self._torch_threads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def serve(self, policy: "Policy", device: "torch.device", *, threads: int = 1) -> None:
        """Test the policy, then accept clients and return; threads do the rest.

        The policy is put into evaluation mode and moved. On a CPU a forward pass has one row and one torch thread, and
        `threads` of them run side by side. On a GPU there is one at a time, of several rows.
        """
        from ambidex.policies.serving.fixed_batch import make_fixed_batch

        self._torch_threads = set_torch_threads(1)
        batch, self.notes = make_fixed_batch(policy.to(device).eval(), device)
        self.batch_size = batch.batch_size
        count = threads if device.type == "cpu" else 1
        self._predict_threads = [_start(partial(self._predict_loop, batch)) for _ in range(count)]
        self._accept_thread = _start(partial(self._accept_loop, describe(policy)))

    def close(self) -> None:
        """Stop answering and close all connections. Safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        for _ in self._predict_threads:
            self._requests.put(None)
        if self._accept_thread is not None:
            _wake_accept_loop(self.address)
            self._accept_thread.join(CLOSE_S)
        self._close_all()  # ends what waits for a client
        for thread in self._predict_threads:
            thread.join(CLOSE_S)
        if self._torch_threads:
            set_torch_threads(self._torch_threads)

    def _accept_loop(self, handshake: ServedPolicy) -> None:
        while not self._closing.is_set():
            try:
                self._connections.append(self._listener.accept())
            except ConnectionError:  # it has disconnected
                continue
            except OSError:
                # Too many open files, for instance: clients would wait forever for a connection.
                self.first_failure = self.first_failure or traceback.format_exc()
                self._close_all()
                return
            _start(partial(self._receive_loop, self._connections[-1], handshake))

    def _close_all(self) -> None:
        """Stop listening and close every connection."""
        self._listener.close()  # first: it frees the file that `_shut_down` needs
        for connection in self._connections:
            _shut_down(connection)

    def _receive_loop(self, connection: "ClientConnection", handshake: ServedPolicy) -> None:
        with suppress(OSError, EOFError, AuthenticationError), connection:  # until the client disconnects
            self._authenticate(connection)
            connection.send(handshake)
            while True:
                self._requests.put(_Request(connection=connection, message=connection.recv()))

    def _authenticate(self, connection: "ClientConnection") -> None:
        """As `Listener.accept` does with a secret, but without making other clients wait for one that says nothing."""
        too_late = threading.Timer(AUTHENTICATION_S, _shut_down, [connection])
        too_late.daemon = True
        too_late.start()
        try:
            deliver_challenge(connection, self.authkey)
            answer_challenge(connection, self.authkey)
        finally:
            too_late.cancel()

    def _predict_loop(self, batch: "FixedBatch") -> None:
        set_torch_threads(1)  # counts per thread
        while (first := self._requests.get()) is not None:
            self._answer(batch, [first, *self._drain(batch.batch_size - 1)])

    def _drain(self, limit: int) -> list[_Request]:
        """Requests that are queued already, at most `limit`; does not block."""
        found: list[_Request] = []
        with suppress(queue.Empty):
            while len(found) < limit:
                request = self._requests.get_nowait()
                if request is None:
                    self._requests.put(None)  # for the next call of `get`, which ends the loop
                    break
                found.append(request)
        return found

    def _answer(self, batch: "FixedBatch", requests: Sequence[_Request]) -> None:
        for request, reply in zip(requests, batch.try_answer([r.message for r in requests]), strict=True):
            if isinstance(reply, ErrorReply):
                self.first_failure = self.first_failure or reply.traceback
            with suppress(OSError):  # the client has disconnected
                request.connection.send(reply)


def describe(policy: "Policy") -> ServedPolicy:
    """The handshake for a policy. Its config may have `execute_steps`: at most the chunk, 0 for all of it."""
    steps = getattr(getattr(policy, "config", None), "execute_steps", None)
    return ServedPolicy(
        name=policy.name,
        spec=policy.spec,
        inputs=policy.inputs,
        chunk_size=policy.chunk_size,
        execute_steps=min(steps, policy.chunk_size) if isinstance(steps, int) and steps > 0 else None,
        instructions=policy.instructions,
    )


def set_torch_threads(count: int) -> int:
    """Set how many threads torch uses for one operation; returns how many it used before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    return before


def _wake_accept_loop(address: Address) -> None:
    """Unblock `accept` with a connection that closes at once, without waiting for it to be accepted."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with suppress(OSError), socket.socket(family) as visitor:
        visitor.settimeout(CLOSE_S)
        visitor.connect(address)


def _shut_down(connection: "ClientConnection") -> None:
    """Close a connection so that a blocking `recv` at either end returns; `close` alone would not do that."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


def _start(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread
