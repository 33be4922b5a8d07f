"""Losses on episodes that are not trained on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.training.loss_module import LossModule
from ambidex.policies.training.robot_stream import RobotStream
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training_data.episode_table import RowArray

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
            figures = self._policy.figures(seen) if found else {}
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
