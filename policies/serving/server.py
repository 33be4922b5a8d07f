"""Serves one policy to many processes: their requests are gathered into forward passes, each is answered at once.

torch is imported by `PolicyServer.serve` and not before, so that the door is open at once.
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
from multiprocessing.connection import Listener
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.serving.client import Address, Refusal, ServedPolicy

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import torch

    from ambidex.policies.policy import Policy
    from ambidex.policies.serving.fixed_batch import FixedBatch

    Line = Connection[Chunk | Refusal | ServedPolicy, ObservationMessage]

BACKLOG = 512  # clients that may knock at the same moment


@dataclass(frozen=True, kw_only=True, eq=False)
class _Request:
    line: "Line"
    message: ObservationMessage


class PolicyServer:
    """Answers requests for a policy's chunks. Use it as a context manager; the door is open from the start.

    Clients may knock before there is a policy: they wait until `serve` is called. So workers start while it is loaded.

    Args:
        address: Host and port to listen at; None for a socket file of this machine.
        authkey: The secret that clients must know; None for a new one.

    Attributes:
        address: Where clients find it.
        authkey: The secret.
        lanes: Rows of every forward pass; 0 until it serves.
        notes: What must be said about reproducibility; empty if all is well.
        first_failure: Traceback of the first request that could not be fulfilled; empty if there is none.
    """

    def __init__(self, address: tuple[str, int] | None = None, authkey: bytes | None = None) -> None:
        self.authkey = authkey or secrets.token_bytes(32)
        family = "AF_UNIX" if address is None else "AF_INET"
        self._listener = Listener(address, family, backlog=BACKLOG, authkey=self.authkey)
        self.address: Address = self._listener.address
        self.lanes = 0
        self.notes: tuple[str, ...] = ()
        self.first_failure = ""
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._runners: list[threading.Thread] = []
        self._door: threading.Thread | None = None
        self._lines: list[Line] = []
        self._closing = threading.Event()
        self._torch_threads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def serve(self, policy: "Policy", device: "torch.device", *, runners: int = 1) -> None:
        """Try the policy out, then let clients in and return; threads do the rest.

        On a CPU a forward pass has one row and one thread, and `runners` of them run side by side. On a GPU there is
        one at a time, of several rows.

        Args:
            policy: What to serve; it is put into evaluation mode and moved.
            device: Where it computes.
            runners: Forward passes at the same time on a CPU.
        """
        from ambidex.policies.serving.fixed_batch import tried_out

        self._torch_threads = torch_threads(1)
        batch, self.notes = tried_out(policy.to(device).eval(), device)
        self.lanes = batch.lanes
        hello = describe(policy)
        count = runners if device.type == "cpu" else 1
        self._runners = [_started(partial(self._run, batch)) for _ in range(count)]
        self._door = _started(partial(self._let_in, hello))

    def close(self) -> None:
        """Stop answering and hang up. Safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        for _ in self._runners:
            self._requests.put(None)
        if self._door is not None:
            _knock(self.address)  # wakes the thread that waits at the door
            self._door.join()
        for runner in self._runners:
            runner.join()
        for line in self._lines:
            _hang_up(line)
        self._listener.close()
        if self._torch_threads:
            torch_threads(self._torch_threads)

    def _let_in(self, hello: ServedPolicy) -> None:
        while not self._closing.is_set():
            try:
                self._lines.append(self._listener.accept())
            except (EOFError, ConnectionError, AuthenticationError):  # somebody else knocked, or left at once
                continue
            except OSError as error:
                if error.errno is None:  # a message that is none: also somebody else
                    continue
                self.first_failure = self.first_failure or traceback.format_exc()
                self._turn_away()
                return
            _started(partial(self._listen, self._lines[-1], hello))

    def _turn_away(self) -> None:
        """Hang up on everybody, inside and at the door: with too many open files, say, nobody would come for them."""
        self._listener.close()
        for line in self._lines:
            _hang_up(line)

    def _listen(self, line: "Line", hello: ServedPolicy) -> None:
        with suppress(OSError, EOFError), line:  # the client has left
            line.send(hello)
            while True:
                self._requests.put(_Request(line=line, message=line.recv()))

    def _run(self, batch: "FixedBatch") -> None:
        torch_threads(1)  # counts per thread
        while (first := self._requests.get()) is not None:
            self._answer(batch, [first, *self._waiting(batch.lanes - 1)])

    def _waiting(self, most: int) -> list[_Request]:
        """Who waits already; nobody waits for more."""
        found: list[_Request] = []
        with suppress(queue.Empty):
            while len(found) < most:
                request = self._requests.get_nowait()
                if request is None:
                    self._requests.put(None)  # the end is for the next round
                    break
                found.append(request)
        return found

    def _answer(self, batch: "FixedBatch", requests: Sequence[_Request]) -> None:
        for request, answer in zip(requests, batch.answer_or_refuse([r.message for r in requests]), strict=True):
            if isinstance(answer, Refusal):
                self.first_failure = self.first_failure or answer.traceback
            with suppress(OSError):  # the client has left
                request.line.send(answer)


def describe(policy: "Policy") -> ServedPolicy:
    """What clients are told about a policy. Its config may have `execute_steps`: at most the chunk, 0 for all of it."""
    steps = getattr(getattr(policy, "config", None), "execute_steps", None)
    return ServedPolicy(
        name=policy.name,
        spec=policy.spec,
        inputs=policy.inputs,
        chunk_size=policy.chunk_size,
        execute_steps=min(steps, policy.chunk_size) if isinstance(steps, int) and steps > 0 else None,
        instructions=policy.instructions,
    )


def torch_threads(count: int) -> int:
    """Let torch use so many threads for one operation; returns how many it used before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    return before


def _knock(address: Address) -> None:
    """Come to the door and leave at once: if nobody stands there any more, waiting to be let in would be for ever."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with suppress(OSError), socket.socket(family) as visitor:
        visitor.connect(address)


def _hang_up(line: "Line") -> None:
    """Wakes whoever waits at either end; closing alone would not."""
    with suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


def _started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
