"""Collects the requests of many threads into forward passes of a policy."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

import torch

from ambidex.policies.messages import Chunk
from ambidex.policies.policy import Policy
from ambidex.policies.serving.client import ErrorReply
from ambidex.policies.serving.fixed_batch import FixedBatch, make_fixed_batch
from ambidex.policies.serving.history import Request

CLOSE_S = 5.0  # for threads to end [s]; they are daemons
Respond = Callable[[Chunk | ErrorReply], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Queued:
    request: Request
    respond: Respond


class RequestBatcher:
    """Answers requests, each as if it were the only one.

    The policy is tested, put into evaluation mode and moved. On a CPU a forward pass has one row and one torch thread,
    and `threads` of them run side by side. On a GPU there is one at a time, of several rows, or of
    `batch_size`.

    Attributes:
        batch_size: Rows of every forward pass.
        notes: Notes about reproducibility; empty if answers are repeatable and independent of other requests.
    """

    def __init__(
        self, policy: Policy, device: torch.device, *, threads: int = 1, batch_size: int | None = None
    ) -> None:
        self._torch_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            batch, self.notes = make_fixed_batch(policy.to(device).eval(), device, batch_size)
        except BaseException:
            torch.set_num_threads(self._torch_threads)
            raise
        self.batch_size = batch.batch_size
        self._requests: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        count = threads if device.type == "cpu" else 1
        self._threads = [threading.Thread(target=self._loop, args=(batch,), daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, request: Request, respond: Respond) -> None:
        """Have a request answered soon; `respond` is called by another thread."""
        self._requests.put(_Queued(request=request, respond=respond))

    def predict(self, request: Request) -> Chunk | ErrorReply:
        """Answer a request; blocks meanwhile."""
        reply: Future[Chunk | ErrorReply] = Future()
        self.submit(request, reply.set_result)
        return reply.result()

    def close(self) -> None:
        """Answer the requests that are queued, and end."""
        for _ in self._threads:
            self._requests.put(None)
        for thread in self._threads:
            thread.join(CLOSE_S)
        torch.set_num_threads(self._torch_threads)

    def _loop(self, batch: FixedBatch) -> None:
        torch.set_num_threads(1)  # counts per thread
        while (first := self._requests.get()) is not None:
            queued: Sequence[_Queued] = [first, *self._drain(batch.batch_size - 1)]
            replies = batch.try_answer([each.request for each in queued])
            for each, reply in zip(queued, replies, strict=True):
                each.respond(reply)

    def _drain(self, limit: int) -> list[_Queued]:
        """Requests that are queued already, at most `limit`; does not block."""
        found: list[_Queued] = []
        with suppress(queue.Empty):
            while len(found) < limit:
                request = self._requests.get_nowait()
                if request is None:
                    self._requests.put(None)  # for the next call of `get`, which ends the loop
                    break
                found.append(request)
        return found
