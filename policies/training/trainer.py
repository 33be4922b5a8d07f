"""The training loop."""

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor

from ambidex.errors import TrainingError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import save
from ambidex.policies.data.episode_table import RowArray
from ambidex.policies.run_folder import TRAINING_STATE, checkpoint_path, prune, resumable_step
from ambidex.policies.training.distributed import mean_over_ranks, wait_for_all
from ambidex.policies.training.learner import Learner, LossModule
from ambidex.policies.training.logging import LossWatch, RobotLosses, StepClock, TrainingLog
from ambidex.policies.training.plan import TrainPlan
from ambidex.policies.training.setup import RobotStream

# FOLDED policies.training.validation: Losses on episodes that are not trained on.

SAMPLES = 256


class Validation:
    """Evaluates a policy on the same held-out samples each time.

    Args:
        plan: What is trained.
        streams: The data of its robots; of many held-out samples of a robot, a regular selection is taken.
    """

    def __init__(self, plan: TrainPlan, streams: Sequence[RobotStream]) -> None:
        self._policy, self._precision = plan.policy, plan.config.precision
        self._by_robot = len(plan.robots) > 1
        self._orders = {
            stream: batches_of(chosen, plan.config.batch_size) for stream in streams if len(chosen := _chosen(stream))
        }

    @torch.no_grad()
    def run(self, weights: AbstractContextManager[None]) -> dict[str, float]:
        """The losses, and the mean absolute action error of predictions, in the environment's units.

        Args:
            weights: Within it, the policy has the weights to evaluate.
        """
        with weights, _evaluating(self._policy):
            found = {stream.data.robot: self._losses(stream) for stream in self._orders}
            seen = (batch.observation for stream in self._orders for batch in self._batches(stream))
            figures = self._policy.validation_metrics(seen) if found else {}
        named = {self._named(robot, name): value for robot, own in found.items() for name, value in own.items()}
        return {f"validation/{name}": value for name, value in {**named, **figures}.items()}

    def _named(self, robot: str, name: str) -> str:
        return f"{robot}/{name}" if self._by_robot else name

    def _losses(self, stream: RobotStream) -> dict[str, float]:
        losses = LossModule(self._policy, self._precision)
        sums: dict[str, float] = {}
        count = sum(map(len, self._orders[stream]))
        for batch in self._batches(stream):
            for name, value in self._terms(losses, batch).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(batch) / count
        return sums

    def _terms(self, losses: LossModule, batch: TrainingBatch) -> Mapping[str, Tensor]:
        predicted = self._policy.predict(batch.observation).float()
        valid = ~batch.is_pad[..., None]
        error = ((predicted - batch.actions).abs() * valid).sum() / (valid.sum() * batch.actions.shape[-1])
        return {**losses(batch), "action_error": error}

    def _batches(self, stream: RobotStream) -> Iterator[TrainingBatch]:
        return (stream.samples(rows) for rows in self._orders[stream])


def batches_of(rows: RowArray, size: int) -> list[RowArray]:
    """Rows in batches of at most this size, each spread over all of them.

    Terms that look at a whole batch, such as how many codes it uses, find little to tell apart in part of an episode.
    """
    count = -(-len(rows) // size)
    return [rows[first::count] for first in range(count)]


def _chosen(stream: RobotStream) -> RowArray:
    rows = stream.data.table.rows(stream.data.held_out)
    return rows[np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).round().astype(np.int64)]


class _evaluating:  # noqa: N801  (a context manager)
    def __init__(self, policy: torch.nn.Module) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        self._policy.eval()

    def __exit__(self, *exception: object) -> None:
        self._policy.train()


class Trainer:
    """Trains, logs, validates and saves.

    Args:
        plan: What is trained and how.
        learner: Does the steps.
        batches: The batches from the first step on.
        validation: What to validate with; None for nothing.
        log: Where to say things.
        first_step: Steps that are done already.
    """

    def __init__(
        self,
        plan: TrainPlan,
        learner: Learner,
        batches: Iterator[TrainingBatch],
        validation: Validation | None,
        log: TrainingLog,
        first_step: int,
    ) -> None:
        self._plan, self._config, self._learner = plan, plan.config, learner
        self._batches, self._validation, self._log, self._first_step = batches, validation, log, first_step
        self._watch, self._clock = LossWatch(plan.device), StepClock(plan.device)
        self._robots = RobotLosses([robot.robot for robot in plan.robots], plan.device, plan.ranks)
        self._saved = first_step
        self._since_log = 0

    def run(self) -> None:
        """Do the steps that are left.

        Raises:
            TrainingError: The loss is not finite. The last checkpoint is whole.
            KeyboardInterrupt: Asked to stop; the steps done are saved.
        """
        self._plan.policy.train()
        with StopSignal(enabled=self._plan.ranks.alone) as stop:
            for step in range(self._first_step, self._config.steps):
                self._step(step)
                if stop.received:
                    self._save(step + 1)
                    raise KeyboardInterrupt
        self._save(self._config.steps)

    def _step(self, step: int) -> None:
        seed_step(self._config.seed, step, self._plan.ranks.rank)
        batch = next(self._batches)
        self._clock.mark("data")
        terms = self._learner.learn(batch, step, self._clock)
        self._watch.add(step, terms)
        self._robots.add(step, batch.observation.robot, terms)
        self._since_log += 1
        if self._plan.device.type == "cpu":  # where looking at a number makes nobody wait
            self._check()
        self._at_intervals(step + 1)

    def _at_intervals(self, done: int) -> None:
        last = done == self._config.steps
        if last or done % self._config.log_every == 0:
            self._check()
            self._report(done)
        self._log.progress(done)
        self._clock.mark("logging")
        if self._validation and (last or done % self._config.validate_every == 0):
            with self._log.doing(done, "validating"):
                self._log.validated(done, self._validation.run(self._learner.used_weights()))
            self._clock.mark("validation")
        if done % self._config.save_every == 0:
            self._save(done)
            self._clock.mark("saving")

    def _report(self, done: int) -> None:
        names, means = self._watch.take_means()
        means = mean_over_ranks(means, self._plan.ranks)
        seconds = self._clock.read()
        samples = self._since_log * self._config.batch_size * self._plan.ranks.count
        self._since_log = 0
        speeds = {f"speed/{part}_ms_per_sample": 1e3 * value / max(1, samples) for part, value in seconds.items()}
        speeds["speed/samples_per_s"] = samples / max(1e-9, sum(seconds.values()))
        losses = {**dict(zip(names, means.tolist(), strict=True)), **self._robots.take_means()}
        self._log.scalars(done, {**losses, **self._learner.rates(), **speeds})

    def _check(self) -> None:
        step = self._watch.first_bad_step()
        if step is not None:
            raise TrainingError(
                f"The loss or its gradient was not finite in step {step + 1}. {self._kept()} Try a lower "
                "--learning-rate, a --gradient-clip, more --warmup-steps, or --precision fp32."
            )

    def _kept(self) -> str:
        last = resumable_step(self._plan.run)
        return f"The last good checkpoint is {checkpoint_path(self._plan.run, last)}." if last else "None is saved yet."

    def _save(self, done: int) -> None:
        if done == self._saved:
            return
        self._check()
        with self._log.doing(done, "saving"):
            self._write(done)
        self._saved = done

    def _write(self, done: int) -> None:
        plan = self._plan
        if plan.ranks.first:
            save(
                plan.run,
                plan.policy,
                plan.config.model,
                [robot.statistics for robot in plan.robots],
                done,
                weights=self._learner.weights,
                write_more=lambda folder: self._learner.state.write(folder / TRAINING_STATE),
            )
            prune(plan.run, plan.config.keep_checkpoints, done)
        wait_for_all(plan.ranks)


# FOLDED policies.training.stop_signal: A request to stop, which lets the step that is being done be finished.

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


# FOLDED policies.training.step_seed: Noise of a training step.


def seed_step(seed: int, step: int, rank: int) -> None:
    """Make all of torch's noise from here on a pure function of these, so that a resumed run draws the same.

    Dropout, latent samples and augmentation need nothing stored; ranks draw apart.
    """
    (number,) = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)
    torch.manual_seed(int(number) >> 1)
