"""The training log: curves for TensorBoard, a progress line, losses and step times averaged between entries."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ambidex.errors import UsageError
from ambidex.policies.training.distributed import Ranks, mean_over_ranks
from ambidex.progress import Progress

FOLDER = "tensorboard"
REFRESH_S = 0.1
VALIDATION = "validation/"
LOSS = "loss/"
PRINTED_METRICS = ("loss", "action_error")
STEP_PARTS = ("data", "forward_backward", "update", "logging")


class TrainingLog:
    """Writes curves and progress of a run of `steps` steps; entries after step `done` of earlier processes are dropped.

    If the process does not write, it shows no progress either.
    """

    def __init__(self, run: Path, label: str, *, steps: int, done: int, quiet: bool, writes: bool = True) -> None:
        self._progress = Progress(label, steps, initial=done, quiet=quiet or not writes, unit="step")
        self._writer = SummaryWriter(str(run / FOLDER), purge_step=done + 1) if writes else None
        self._text, self._last_shown = "", 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.close()
        if self._writer:
            self._writer.close()

    def progress(self, step: int, activity: str = "") -> None:
        """Show that `step` steps are done, and what is being done after them."""
        if time.monotonic() - self._last_shown > REFRESH_S:
            self._progress.update(step, words=self._words(activity))
            self._last_shown = time.monotonic()

    @contextmanager
    def activity(self, step: int, name: str) -> Iterator[None]:
        """Show during the block what is being done after `step` steps, such as "saving"."""
        self._progress.update(step, words=self._words(name), now=True)
        yield
        self._progress.update(step, words=self._text)

    def _words(self, activity: str) -> str:
        return ", ".join(filter(None, (self._text, activity)))

    def note(self, text: str) -> None:
        """Print a line beside the progress."""
        self._progress.note(text)

    def validation(self, step: int, values: Mapping[str, float]) -> None:
        """Add points as `scalars` does, and print losses and action errors in a line, if there are any."""
        self.scalars(step, values)
        printed = [f"{_title(name)} {value:.4g}" for name, value in values.items() if _is_printed(name)]
        if printed:
            self.note(f"validation after step {step}: {', '.join(printed)}")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve after `step` steps."""
        if self._writer:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
        shown = {"loss": "loss/loss", "samples/s": "speed/samples_per_s"}
        if "loss/loss" in values:
            self._text = ", ".join(f"{label} {values[name]:.4g}" for label, name in shown.items() if name in values)


def _is_printed(name: str) -> bool:
    """Whether it is validation/METRIC or validation/EMBODIMENT/METRIC with one of `PRINTED_METRICS`."""
    return name.rpartition("/")[2] in PRINTED_METRICS


def _title(name: str) -> str:
    embodiment, _, metric = name.removeprefix(VALIDATION).rpartition("/")
    return f"{embodiment} {metric.replace('_', ' ')}".strip()


class LossMonitor:
    """Sums loss terms on the device, so that no step waits for a number, and remembers the first that is not finite.

    Attributes:
        count: Steps since the last call of `take_means`.
    """

    def __init__(self, device: torch.device) -> None:
        self._names: tuple[str, ...] = ()
        self._sums = torch.zeros(0, device=device)
        self.count = 0
        self._first_bad = torch.tensor(-1, device=device)

    def add(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of one step.

        Raises:
            UsageError: Their names are not those of the steps before.
        """
        values = torch.stack([term.detach() for term in terms.values()])
        if not self._names:
            self._names, self._sums = tuple(terms), torch.zeros_like(values)
        if tuple(terms) != self._names:
            problem = f"Step {step} has the loss terms {', '.join(terms)}; before it were {', '.join(self._names)}."
            hint = "`losses` of the policy must return the same names in the same order, 0 for a term without a value."
            raise UsageError(problem, hint, got=tuple(terms), expected=self._names)
        self._sums += values
        self.count += 1
        first = (self._first_bad < 0) & ~values.isfinite().all()
        self._first_bad = torch.where(first, step, self._first_bad)

    def first_bad_step(self) -> int | None:
        """The first step with a term that is not finite; waits for the device."""
        step = int(self._first_bad)
        return None if step < 0 else step

    def take_means(self) -> tuple[tuple[str, ...], Tensor]:
        """Names, and the means since the last call, shape (terms,)."""
        means = self._sums / max(1, self.count)
        self._sums, self.count = torch.zeros_like(self._sums), 0
        return self._names, means


class EmbodimentLosses:
    """Averages the loss terms over each embodiment's own steps; does nothing if there is only one.

    Every process trains the same embodiment in the same step, so the means can be averaged over processes.
    """

    def __init__(self, embodiments: Sequence[str], device: torch.device, ranks: Ranks) -> None:
        self._ranks = ranks
        self._monitors = {name: LossMonitor(device) for name in embodiments} if len(embodiments) > 1 else {}

    def add(self, step: int, embodiment: str, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of one step of an embodiment; only terms named loss/NAME are used."""
        if self._monitors:
            own = {name: term for name, term in terms.items() if name.startswith(LOSS)}
            self._monitors[embodiment].add(step, own)

    def take_means(self) -> dict[str, float]:
        """loss/EMBODIMENT/NAME -> the mean since the last call, of embodiments that had a step."""
        found: dict[str, float] = {}
        for embodiment, monitor in self._monitors.items():
            if monitor.count:
                names, means = monitor.take_means()
                own = (f"{LOSS}{embodiment}/{name.removeprefix(LOSS)}" for name in names)
                found |= zip(own, mean_over_ranks(means, self._ranks).tolist(), strict=True)
        return found


class StepClock:
    """Measures the time of each part of a training step, without making a GPU wait.

    On CUDA it records events, whose times are read in `read` only, together with everything else that is logged.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._marks: list[tuple[str, float | torch.cuda.Event]] = []
        self.mark("")

    def mark(self, part: str) -> None:
        """Assign the time since the last mark to a part of the step."""
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self._marks.append((part, event))
        else:
            self._marks.append((part, time.perf_counter()))

    def read(self) -> dict[str, float]:
        """Seconds of each of `STEP_PARTS` since the last call; waits for the GPU."""
        if self._cuda:
            torch.cuda.synchronize()
        totals = dict.fromkeys(STEP_PARTS, 0.0)
        for (_, before), (part, after) in zip(self._marks, self._marks[1:], strict=False):
            if part in totals:
                totals[part] += _seconds(before, after)
        self._marks.clear()
        self.mark("")
        return totals


def _seconds(before: "float | torch.cuda.Event", after: "float | torch.cuda.Event") -> float:
    if isinstance(before, torch.cuda.Event) and isinstance(after, torch.cuda.Event):
        return float(before.elapsed_time(after)) / 1000
    assert isinstance(before, float) and isinstance(after, float)
    return after - before
