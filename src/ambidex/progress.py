"""Progress of long work: a bar on a terminal, a line every few seconds in a log, nothing when quiet."""

import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

from tqdm import tqdm

from ambidex.intervals import wilson_interval
from ambidex.text import printable, write_message

LINE_EVERY_S = 5.0


class Progress:
    """Prints how many of a number of items are done, the time left and the running success rate.

    Args:
        label: Name of the work.
        total: Number of items.
        initial: Items that earlier runs have done.
        quiet: Print nothing.
        unit: Short name of an item.
        stream: Where to print; None for stderr.
        clock: Returns the time [s]; for tests.
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
        self._bar: tqdm[None] | None = None
        if self._stream is not None and self._stream.isatty() and not quiet:
            self._bar = tqdm(
                desc=printable(label), total=total, initial=initial, file=self._stream, dynamic_ncols=True, unit=unit
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def update(
        self, done: int, successes: int = 0, trials: int | None = None, words: str = "", *, now: bool = False
    ) -> None:
        """Print how many items are done, and the rate of successes among the trials or, without trials, the words.

        A log gets a line every few seconds, or `now`.
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
        """Print a line beside the bar."""
        self._last_line = self._clock()
        if self._bar is not None:
            self._bar.clear()
        if not self._quiet:
            self._write(text)

    def close(self) -> None:
        """Leave the bar as it stands. Safe to call twice."""
        if self._bar is not None:
            self._bar.close()

    def _write(self, line: str) -> None:
        write_message(self._stream, printable(line) + "\n")

    def _left(self, done: int) -> str:
        finished = done - self._initial
        if finished <= 0:
            return "time left unknown"
        seconds = (self._clock() - self._started) / finished * (self._total - done)
        return f"{tqdm.format_interval(seconds)} left"


class PartOfProgress:
    """The progress of a part of longer work. It has the methods of `Progress`, and counts on from the parts before.

    Args:
        whole: The progress of all parts.
        before: Items of the parts before.
        label: Name of the part.
    """

    def __init__(self, whole: Progress, before: int, label: str) -> None:
        self._whole, self._before, self._label = whole, before, label

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the bar to the next part."""

    def update(self, done: int, successes: int, trials: int) -> None:
        """Print how many items of all parts are done, and the rate of successes in this part."""
        self._whole.update(self._before + done, words=f"{self._label}: {_rate(successes, trials)}")

    def note(self, text: str) -> None:
        """Print a line beside the bar."""
        self._whole.note(text)


def _rate(successes: int, trials: int) -> str:
    if trials == 0:
        return "no attempt yet"
    low, high = wilson_interval(successes, trials)
    return f"success {successes}/{trials} = {100 * successes / trials:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
