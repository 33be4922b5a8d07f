"""Losses on episodes that are not trained on."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.training.loss_module import LossModule
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training_data.episode_table import RowArray
from ambidex.policies.training_data.frame_source import FrameSource
from ambidex.policies.training_data.sample_gatherer import SampleGatherer

SAMPLES = 256


class Validation:
    """Evaluates a policy on the same held-out samples each time.

    Args:
        plan: What is trained.
        rows: Rows of the held-out episodes; of many, a regular selection is taken.
        frames: Their pixels.
        gatherer: Everything else.
    """

    def __init__(self, plan: TrainPlan, rows: RowArray, frames: FrameSource, gatherer: SampleGatherer) -> None:
        self._policy, self._precision = plan.policy, plan.config.precision
        chosen = rows[np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).round().astype(np.int64)]
        size = plan.config.batch_size
        self._orders = [chosen[first : first + size] for first in range(0, len(chosen), size)]
        self._frames, self._gatherer = frames, gatherer

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
        return {f"validation/{name}": value for name, value in sums.items()}

    def _terms(self, losses: LossModule, batch: TrainingBatch) -> Mapping[str, Tensor]:
        predicted = self._policy.predict(batch.observation).float()
        valid = ~batch.is_pad[..., None]
        error = ((predicted - batch.actions).abs() * valid).sum() / (valid.sum() * batch.actions.shape[-1])
        return {**losses(batch), "action_error": error}

    def _batches(self) -> Iterator[TrainingBatch]:
        return (self._gatherer.batch(rows, self._frames.images(rows)) for rows in self._orders)


class _evaluating:  # noqa: N801  (a context manager)
    def __init__(self, policy: torch.nn.Module) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        self._policy.eval()

    def __exit__(self, *exception: object) -> None:
        self._policy.train()
