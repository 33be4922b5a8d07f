"""The training loop: steps, validation, log entries and checkpoints."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from types import FrameType
from typing import Self

import numpy as np
import torch
from torch import Tensor

from ambidex.command_line import interrupt_once
from ambidex.errors import TrainingError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import save
from ambidex.policies.data.episode_table import RowArray
from ambidex.policies.run_folder import TRAINING_STATE, checkpoint_path, prune, resumable_step
from ambidex.policies.training.distributed import barrier, mean_over_ranks
from ambidex.policies.training.large_models.sharding import whole_tensors
from ambidex.policies.training.learner import Learner, LossModule
from ambidex.policies.training.plan import TrainPlan
from ambidex.policies.training.setup import SampleStream
from ambidex.policies.training.state import write_state
from ambidex.policies.training.training_log import VALIDATION, EmbodimentLosses, LossMonitor, StepClock, TrainingLog
from ambidex.worker_pool.ending import STOP_SIGNALS


class Trainer:
    """Trains, logs, validates and saves, from `first_step` on, where `batches` starts."""

    def __init__(
        self,
        plan: TrainPlan,
        learner: Learner,
        batches: Iterator[Sequence[TrainingBatch]],
        validation: "Validation | None",
        log: TrainingLog,
        first_step: int,
    ) -> None:
        self._plan, self._config, self._learner = plan, plan.config, learner
        self._batches, self._validation, self._log, self._first_step = batches, validation, log, first_step
        self._losses, self._clock = LossMonitor(plan.device), StepClock(plan.device)
        self._embodiment_losses = EmbodimentLosses([data.embodiment for data in plan.data], plan.device, plan.ranks)
        self._stop = StopSignal(enabled=plan.ranks.alone)
        self._saved = first_step
        self._since_log = 0

    def run(self) -> None:
        """Do the remaining steps.

        Raises:
            TrainingError: The loss is not finite. The last checkpoint is complete.
            KeyboardInterrupt: A signal asked to stop; the steps done are saved.
        """
        self._plan.policy.train()
        with self._stop:
            for step in range(self._first_step, self._config.steps):
                self._step(step)
                if self._stop.received:
                    self._save(step + 1)
                    raise KeyboardInterrupt
        barrier(self._plan.ranks)  # the first process may still be validating

    def _step(self, step: int) -> None:
        seed_step(self._config.seed, step, self._plan.ranks.rank)
        batches = next(self._batches)
        self._clock.mark("data")
        terms = self._learner.train_step(batches, step, self._clock)
        self._losses.add(step, terms)
        self._embodiment_losses.add(step, batches[0].observation.embodiment, terms)
        self._since_log += 1
        if self._plan.device.type == "cpu":  # where reading a number does not block the device
            self._check()
        self._at_intervals(step + 1)

    def _at_intervals(self, done: int) -> None:
        last = done == self._config.steps
        if last or done % self._config.log_every == 0:
            self._check()
            self._report(done)
        self._log.progress(done)
        self._clock.mark("logging")
        if last or done % self._config.save_every == 0:
            self._save(done)
            self._clock.mark("saving")
        if self._validation and (last or done % self._config.validate_every == 0):
            self._validate(self._validation, done)
            self._clock.mark("validation")

    def _validate(self, validation: "Validation", done: int) -> None:
        def before_batch(number: int, batches: int) -> None:
            if self._stop.received:
                raise StopValidation
            self._log.progress(done, f"validating, batch {number} of {batches}")

        with self._log.activity(done, "validating"), suppress(StopValidation):
            self._log.validation(done, validation.run(self._learner.average_applied(), before_batch))

    def _report(self, done: int) -> None:
        names, means = self._losses.take_means()
        means = mean_over_ranks(means, self._plan.ranks)
        seconds = self._clock.read()
        batches = self._since_log * self._config.accumulate_steps * self._plan.ranks.count
        samples = batches * self._config.batch_size
        self._since_log = 0
        speeds = {f"speed/{part}_ms_per_sample": 1e3 * value / max(1, samples) for part, value in seconds.items()}
        speeds["speed/samples_per_s"] = samples / max(1e-9, sum(seconds.values()))
        losses = {**dict(zip(names, means.tolist(), strict=True)), **self._embodiment_losses.take_means()}
        self._log.scalars(done, {**losses, **self._learner.learning_rates(), **speeds})

    def _check(self) -> None:
        step = self._losses.first_bad_step()
        if step is None:
            return
        last = resumable_step(self._plan.run)
        saved = (
            f"The last good checkpoint is {checkpoint_path(self._plan.run, last)}."
            if last
            else "No checkpoint is saved yet."
        )
        problem = f"The loss or its gradient was not finite in step {step + 1}. {saved}"
        hint = "Try a lower --learning-rate, a --gradient-clip, more --warmup-steps, or --precision fp32."
        raise TrainingError(problem, hint, step=step + 1, saved=last)

    def _save(self, done: int) -> None:
        if done == self._saved:
            return
        self._check()
        with self._log.activity(done, "saving"):
            self._write(done)
        self._saved = done

    def _write(self, done: int) -> None:
        plan, first = self._plan, self._plan.ranks.first
        weights = whole_tensors({**plan.policy.state_dict(), **self._learner.weights}, keep=first)
        state = whole_tensors(self._learner.state.tensors(), keep=first)
        if first:
            save(
                plan.run,
                plan.policy,
                plan.config.model,
                [data.statistics for data in plan.data],
                done,
                weights=weights,
                write_more=lambda folder: write_state(folder / TRAINING_STATE, state),
            )
            prune(plan.run, plan.config.keep_checkpoints, done)
        barrier(plan.ranks)


class StopValidation(Exception):  # noqa: N818  (no error)
    """Ends a validation before its next batch."""


class Validation:
    """Evaluates a policy on the same held-out samples each time: at most `validation_samples` of each embodiment."""

    def __init__(self, plan: TrainPlan, streams: Sequence[SampleStream]) -> None:
        self._policy, self._precision = plan.policy, plan.config.precision
        self._several = len(plan.data) > 1
        self._orders = {
            stream: batches_of(rows, plan.config.batch_size)
            for stream in streams
            if len(rows := _held_out_rows(stream, plan.policy.validation_samples))
        }

    @torch.no_grad()
    def run(self, weights: AbstractContextManager[None], before_batch: Callable[[int, int], None]) -> dict[str, float]:
        """Losses, mean absolute action errors in the environment's units, and the policy's own metrics.

        Args:
            weights: Within this context the policy has the weights to evaluate.
            before_batch: Called with the number of each batch, from 1, and that of the last; may raise an exception.
        """
        self._policy.eval()
        try:
            with weights:
                found = {
                    self._name(stream, name): value
                    for stream in self._orders
                    for name, value in self._losses(stream, before_batch).items()
                }
                observations = (
                    batch.observation for stream in self._orders for batch in self._batches(stream, before_batch)
                )
                metrics = self._policy.validation_metrics(observations) if self._orders else {}
        finally:
            self._policy.train()
        return {f"{VALIDATION}{name}": value for name, value in {**found, **metrics}.items()}

    def _name(self, stream: SampleStream, metric: str) -> str:
        return f"{stream.data.embodiment}/{metric}" if self._several else metric

    def _batches(self, stream: SampleStream, before_batch: Callable[[int, int], None]) -> Iterator[TrainingBatch]:
        orders = self._orders[stream]
        for number, rows in enumerate(orders, 1):
            before_batch(number, len(orders))
            yield stream.samples(rows)

    def _losses(self, stream: SampleStream, before_batch: Callable[[int, int], None]) -> dict[str, float]:
        losses = LossModule(self._policy, self._precision)
        sums: dict[str, float] = {}
        count = sum(map(len, self._orders[stream]))
        for batch in self._batches(stream, before_batch):
            for name, value in self._terms(losses, batch).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(batch) / count
        return sums

    def _terms(self, losses: LossModule, batch: TrainingBatch) -> Mapping[str, Tensor]:
        predicted = self._policy.predict(batch.observation).float()
        actions, is_pad = batch.newest
        valid = ~is_pad[..., None]
        error = ((predicted - actions).abs() * valid).sum() / (valid.sum() * actions.shape[-1])
        return {**losses(batch), "action_error": error}


def batches_of(rows: RowArray, size: int) -> list[RowArray]:
    """Rows in batches of at most this size, each spread over all of them.

    Batches of neighbouring rows would be too uniform for loss terms that compare the samples of a batch, such as the
    number of codes it uses.
    """
    count = -(-len(rows) // size)
    return [rows[first::count] for first in range(count)]


def _held_out_rows(stream: SampleStream, most: int) -> RowArray:
    rows = stream.data.table.rows(stream.data.held_out)
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64)]


class StopSignal:
    """Within the block the first of `STOP_SIGNALS` is recorded, so that the step completes; a second one interrupts.

    Later ones are ignored. Those that are ignored before, e.g. SIGHUP after nohup, stay so. It works in the main thread
    only; elsewhere, or if it is not enabled, signals are not caught.

    Attributes:
        received: Whether a signal has arrived.
    """

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled and threading.current_thread() is threading.main_thread()
        self.received = self._interrupted = False

    def __enter__(self) -> Self:
        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS if self._enabled}
        self._old = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
        for number in self._old:
            signal.signal(number, self._record)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._old.items():
            ends = self.received and handler is interrupt_once  # a command, which is about to exit
            signal.signal(number, signal.SIG_IGN if ends else handler)

    def _record(self, number: int, frame: FrameType | None) -> None:
        first, self.received = not self.received, True
        if not (first or self._interrupted):
            self._interrupted = True
            raise KeyboardInterrupt


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed torch as a pure function of these, so that a resumed run draws the same noise.

    Dropout, latent samples and augmentation then need no stored state; each rank draws its own.
    """
    (number,) = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)
    torch.manual_seed(int(number) >> 1)
