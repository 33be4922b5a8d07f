"""A policy server for worker processes of this machine: it answers the requests of many clients.

torch is imported by `PolicyServer.serve` and not before, so that the socket accepts connections immediately.
"""

import os
import secrets
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener, answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Self

from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.serving.client import Address, ErrorReply, ServedPolicy
from ambidex.policies.serving.history import KeptFrames, WindowMessage

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import torch

    from ambidex.policies.policy import Policy
    from ambidex.policies.serving.batcher import RequestBatcher

    ClientConnection = Connection[Chunk | ErrorReply | ServedPolicy, ObservationMessage | WindowMessage]

LISTEN_BACKLOG = 512  # clients that may wait to be accepted
AUTHENTICATION_S = 30.0  # for a client to prove that it knows the secret [s]
CLOSE_S = 5.0  # for threads to end when the server closes [s]; they are daemons


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
        self._batcher: RequestBatcher | None = None
        self._accept_thread: threading.Thread | None = None
        self._connections: list[ClientConnection] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def serve(
        self, policy: "Policy", device: "torch.device", *, threads: int = 1, batch_size: int | None = None
    ) -> None:
        """Test the policy, then accept clients and return; arguments and what happens to it: see `RequestBatcher`."""
        from ambidex.policies.serving.batcher import RequestBatcher

        self._batcher = RequestBatcher(policy, device, threads=threads, batch_size=batch_size)
        self.batch_size, self.notes = self._batcher.batch_size, self._batcher.notes
        receive = partial(self._receive_loop, self._batcher, describe(policy))
        self._accept_thread = _start(partial(self._accept_loop, receive))

    def close(self) -> None:
        """Stop answering and close all connections. Safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._accept_thread is not None:
            _wake_accept_loop(self.address)
            self._accept_thread.join(CLOSE_S)
        self._close_all()  # ends what waits for a client
        if self._batcher is not None:
            self._batcher.close()

    def _accept_loop(self, receive: Callable[["ClientConnection"], None]) -> None:
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
            _start(partial(receive, self._connections[-1]))

    def _close_all(self) -> None:
        """Stop listening and close every connection."""
        self._listener.close()  # first: it frees the file that `_shut_down` needs
        for connection in self._connections:
            _shut_down(connection)

    def _receive_loop(self, batcher: "RequestBatcher", handshake: ServedPolicy, connection: "ClientConnection") -> None:
        with suppress(OSError, EOFError, AuthenticationError), connection:  # until the client disconnects
            self._authenticate(connection)
            connection.send(handshake)
            kept = KeptFrames(handshake.inputs.offsets)  # freed when the client disconnects
            while True:
                batcher.submit(kept.complete(connection.recv()), partial(self._respond, connection))

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

    def _respond(self, connection: "ClientConnection", reply: Chunk | ErrorReply) -> None:
        if isinstance(reply, ErrorReply):
            self.first_failure = self.first_failure or reply.traceback
        with suppress(OSError):  # the client has disconnected
            connection.send(reply)


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
