"""What training says: curves for TensorBoard, and a line of progress."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from torch.utils.tensorboard import SummaryWriter

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
