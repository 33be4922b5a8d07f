"""Losses on episodes that are not trained on."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.training.loss_module import LossModule
from ambidex.policies.training.robot_stream import RobotStream
from ambidex.policies.training.train_plan import TrainPlan

SAMPLES = 256


class Validation:
    """Evaluates a policy on the same held-out samples of a robot each time.

    Args:
        plan: What is trained.
        stream: The robot's data; of many held-out samples, a regular selection is taken.
    """

    def __init__(self, plan: TrainPlan, stream: RobotStream) -> None:
        self._policy, self._precision = plan.policy, plan.config.precision
        self._prefix = f"validation/{stream.data.robot}" if len(plan.robots) > 1 else "validation"
        rows = stream.data.table.rows(stream.data.held_out)
        chosen = rows[np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).round().astype(np.int64)]
        size = plan.config.batch_size
        self._orders = [chosen[first : first + size] for first in range(0, len(chosen), size)]
        self._stream = stream

    @torch.no_grad()
    def run(self, weights: AbstractContextManager[None]) -> dict[str, float]:
        """The losses, and the mean absolute action error of predictions, in the environment's units.

        Args:
            weights: Within it, the policy has the weights to evaluate.
        """
        losses = LossModule(self._policy, self._precision)
        sums: dict[str, float] = {}
        count = sum(len(rows) for rows in self._orders)
        with weights, _evaluating(self._policy):
            for batch in self._batches():
                for name, value in self._terms(losses, batch).items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(batch) / count
        return {f"{self._prefix}/{name}": value for name, value in sums.items()}

    def _terms(self, losses: LossModule, batch: TrainingBatch) -> Mapping[str, Tensor]:
        predicted = self._policy.predict(batch.observation).float()
        valid = ~batch.is_pad[..., None]
        error = ((predicted - batch.actions).abs() * valid).sum() / (valid.sum() * batch.actions.shape[-1])
        return {**losses(batch), "action_error": error}

    def _batches(self) -> Iterator[TrainingBatch]:
        return (self._stream.samples(rows) for rows in self._orders)


class _evaluating:  # noqa: N801  (a context manager)
    def __init__(self, policy: torch.nn.Module) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        self._policy.eval()

    def __exit__(self, *exception: object) -> None:
        self._policy.train()
