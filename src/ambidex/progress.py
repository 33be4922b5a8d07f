"""Progress of long work: a bar on a terminal, a line now and then in a log, nothing when quiet."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

from ambidex.intervals import wilson_interval

LINE_EVERY_S = 5.0


class Progress:
    """Counts what is done, with the time left and the running success rate.

    Args:
        label: What is being done.
        total: How many there will be.
        initial: How many were there before this run.
        quiet: Say nothing.
        unit: What is counted, in short.
        stream: Where to write; None for stderr.
        clock: Gives the time [s]; for tests.
    """

    def __init__(
        self,
        label: str,
        total: int,
        *,
        initial: int = 0,
        quiet: bool = False,
        unit: str = "ep",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label, self._total, self._initial, self._quiet = label, total, initial, quiet
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = self._last_line = clock()
        self._bar = self._make_bar(unit) if self._stream.isatty() and not quiet else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(
        self, done: int, successes: int = 0, trials: int | None = None, words: str = "", *, now: bool = False
    ) -> None:
        """Show how far it is.

        Args:
            done: How many of the total are done.
            successes: Trials that succeeded.
            trials: Trials so far; None if it is not about success.
            words: What else to say; it stands in the place of the rate.
            now: Write a line into a log even if the last one is not long ago.
        """
        words = words if trials is None else _rate(successes, trials)
        if self._bar is not None:
            self._bar.n = done
            self._bar.set_postfix_str(words, refresh=True)
        elif not self._quiet and (now or self._clock() - self._last_line >= LINE_EVERY_S):
            self._last_line = self._clock()
            parts = [f"{self._label}: {done}/{self._total}", self._left(done), words]
            self._write(", ".join(filter(None, parts)))

    def note(self, text: str) -> None:
        """Say something beside the bar; in a log the next line of progress waits as after any line."""
        self._last_line = self._clock()
        if self._bar is not None:
            self._bar.clear()
        if not self._quiet:
            self._write(text)

    def close(self) -> None:
        """Leave the bar as it stands. Safe to call twice."""
        if self._bar is not None:
            self._bar.close()

    def _make_bar(self, unit: str) -> "tqdm[None]":
        return tqdm(
            desc=self._label, total=self._total, initial=self._initial, file=self._stream, dynamic_ncols=True, unit=unit
        )

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    def _left(self, done: int) -> str:
        finished = done - self._initial
        if finished <= 0:
            return "time left unknown"
        seconds = (self._clock() - self._started) / finished * (self._total - done)
        return f"{tqdm.format_interval(seconds)} left"


def _rate(successes: int, trials: int) -> str:
    if trials == 0:
        return "no attempt yet"
    low, high = wilson_interval(successes, trials)
    return f"success {successes}/{trials} = {100 * successes / trials:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
