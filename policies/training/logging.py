"""What training says: curves for TensorBoard, and a line of progress."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ambidex.policies.training.distributed import Ranks, mean_over_ranks
from ambidex.progress import Progress

FOLDER = "tensorboard"
REFRESH_S = 0.1
VALIDATION = "validation/"
TOLD = ("loss", "action_error")


class TrainingLog:
    """Writes curves and progress.

    Args:
        run: The run's folder.
        label: What is being trained.
        steps: Of the whole run.
        done: Steps behind it; later entries of an earlier process are overwritten.
        quiet: Show no progress.
        writes: Whether this process writes at all.
    """

    def __init__(self, run: Path, label: str, *, steps: int, done: int, quiet: bool, writes: bool = True) -> None:
        self._progress = Progress(label, steps, initial=done, quiet=quiet or not writes, unit="step")
        self._writer = SummaryWriter(str(run / FOLDER), purge_step=done + 1) if writes else None
        self._words, self._shown = "", 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.close()
        if self._writer:
            self._writer.close()

    def progress(self, step: int) -> None:
        """Show how far it is: `step` steps are done."""
        if time.monotonic() - self._shown > REFRESH_S:
            self._progress.update(step, words=self._words)
            self._shown = time.monotonic()

    @contextmanager
    def doing(self, step: int, what: str) -> Iterator[None]:
        """Within, the progress says what is being done after `step` steps, for what takes long."""
        self._progress.update(step, words=", ".join(filter(None, (self._words, what))), now=True)
        yield
        self._progress.update(step, words=self._words)

    def note(self, text: str) -> None:
        """Say something beside the progress."""
        self._progress.note(text)

    def validated(self, step: int, values: Mapping[str, float]) -> None:
        """Add points as `scalars` does, and say the losses and errors of actions in a line; without any, nothing."""
        self.scalars(step, values)
        told = [f"{_told_name(name)} {value:.4g}" for name, value in values.items() if _is_told(name)]
        if told:
            self.note(f"validation after step {step}: {', '.join(told)}")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve after `step` steps."""
        if self._writer:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
        known = {"loss": "loss/loss", "samples/s": "speed/samples_per_s"}
        shown = [f"{label} {values[name]:.4g}" for label, name in known.items() if name in values]
        if "loss/loss" in values:
            self._words = ", ".join(shown)


def _is_told(name: str) -> bool:
    """Of one robot, or of each of several: validation/loss, validation/ROBOT/loss."""
    return name.rpartition("/")[2] in TOLD


def _told_name(name: str) -> str:
    robot, _, term = name.removeprefix(VALIDATION).rpartition("/")
    return f"{robot} {term.replace('_', ' ')}".strip()


# FOLDED policies.training.loss_watch: Adds up losses on the device, so that no step has to wait for a number, and notices the first that is not finite.


class LossWatch:
    """Sums of the losses since the last reading.

    Args:
        device: Where the losses are.

    Attributes:
        count: Steps since the last reading.
    """

    def __init__(self, device: torch.device) -> None:
        self._names: tuple[str, ...] = ()
        self._sums = torch.zeros(0, device=device)
        self.count = 0
        self._first_bad = torch.tensor(-1, device=device)

    def add(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Take in the terms of one step; the names must be the same in all steps."""
        values = torch.stack([term.detach() for term in terms.values()])
        if not self._names:
            self._names, self._sums = tuple(terms), torch.zeros_like(values)
        self._sums += values
        self.count += 1
        worse = (self._first_bad < 0) & ~values.isfinite().all()
        self._first_bad = torch.where(worse, step, self._first_bad)

    def first_bad_step(self) -> int | None:
        """The first step in which a term was not finite; waits for the device."""
        step = int(self._first_bad)
        return None if step < 0 else step

    def take_means(self) -> tuple[tuple[str, ...], Tensor]:
        """Names, and the means since the last call, shape (terms,)."""
        means = self._sums / max(1, self.count)
        self._sums, self.count = torch.zeros_like(self._sums), 0
        return self._names, means


# FOLDED policies.training.robot_losses: Losses of each robot, where several train together.

LOSS = "loss/"


class RobotLosses:
    """Averages the terms of the loss over each robot's own steps; does nothing for a single robot.

    Args:
        robots: Their names.
        device: Where the losses are.
        ranks: Every process sees the same robot in the same step.
    """

    def __init__(self, robots: Sequence[str], device: torch.device, ranks: Ranks) -> None:
        self._ranks = ranks
        self._watches = {robot: LossWatch(device) for robot in robots} if len(robots) > 1 else {}

    def add(self, step: int, robot: str, terms: Mapping[str, Tensor]) -> None:
        """Take in the terms of one step of a robot; only those called loss/NAME are kept."""
        if self._watches:
            own = {name: term for name, term in terms.items() if name.startswith(LOSS)}
            self._watches[robot].add(step, own)

    def take_means(self) -> dict[str, float]:
        """loss/ROBOT/NAME -> the mean since the last call; a robot that had no step is left out."""
        found: dict[str, float] = {}
        for robot, watch in self._watches.items():
            if watch.count:
                names, means = watch.take_means()
                own = (f"{LOSS}{robot}/{name.removeprefix(LOSS)}" for name in names)
                found |= zip(own, mean_over_ranks(means, self._ranks).tolist(), strict=True)
        return found


# FOLDED policies.training.step_clock: Where the time of training steps goes.

STEP_PARTS = ("data", "forward_backward", "update", "logging")


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
        totals = dict.fromkeys(STEP_PARTS, 0.0)
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
