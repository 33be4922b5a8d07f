"""The training loop."""

from collections.abc import Iterator

from ambidex.errors import TrainingError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import save
from ambidex.policies.training.learner import Learner
from ambidex.policies.training.loss_watch import LossWatch
from ambidex.policies.training.ranks import mean_over_ranks, wait_for_all
from ambidex.policies.training.robot_losses import RobotLosses
from ambidex.policies.training.run_folder import TRAINING_STATE, checkpoint_path, prune, resumable_step
from ambidex.policies.training.step_clock import StepClock
from ambidex.policies.training.step_seed import seed_step
from ambidex.policies.training.stop_signal import StopSignal
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training.training_log import TrainingLog
from ambidex.policies.training.validation import Validation


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
