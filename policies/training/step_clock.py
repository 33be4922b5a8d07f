"""Where the time of training steps goes."""

import time

import torch

PARTS = ("data", "forward_backward", "update", "logging")


class StepClock:
    """Adds up the time of each part of a step, without making a GPU wait.

    On CUDA it notes events, whose times are read in `read` alone, together with everything else that is logged.

    Args:
        device: Where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._marks: list[tuple[str, float | torch.cuda.Event]] = []
        self._add("")

    def mark(self, part: str) -> None:
        """What came since the last mark belongs to this part."""
        self._add(part)

    def read(self) -> dict[str, float]:
        """Seconds of each part since the last reading; waits for the GPU."""
        if self._cuda:
            torch.cuda.synchronize()
        totals = dict.fromkeys(PARTS, 0.0)
        for (_, before), (part, after) in zip(self._marks, self._marks[1:], strict=False):
            if part in totals:
                totals[part] += _seconds(before, after)
        self._marks.clear()
        self._add("")
        return totals

    def _add(self, part: str) -> None:
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self._marks.append((part, event))
        else:
            self._marks.append((part, time.perf_counter()))


def _seconds(before: "float | torch.cuda.Event", after: "float | torch.cuda.Event") -> float:
    if isinstance(before, torch.cuda.Event) and isinstance(after, torch.cuda.Event):
        return float(before.elapsed_time(after)) / 1000
    assert isinstance(before, float) and isinstance(after, float)
    return after - before
