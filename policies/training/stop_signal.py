"""A request to stop, which lets the step that is being done be finished."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """Within, the first Ctrl-C or SIGTERM (a cluster that wants its machine back) is noted, a second one interrupts.

    Args:
        enabled: Whether to catch signals at all. Only a main thread can.

    Attributes:
        received: Whether one has come.
    """

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled and threading.current_thread() is threading.main_thread()
        self.received = False

    def __enter__(self) -> Self:
        self._old = {number: signal.signal(number, self._note) for number in SIGNALS} if self._enabled else {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = True
