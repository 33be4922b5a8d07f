"""Trainings of the layered toy on two processes, for torchrun: sharded_ranks.py DATA FOLDER.

FOLDER/ddp sums the gradients of two batches, FOLDER/fsdp has shards too, FOLDER/parts is stopped by an error in the
middle and resumed, FOLDER/half computes in bf16.
"""

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import layered_learner
import torch
import toy_learner
from training_runs import SHARDED, settings

from ambidex.policies.training import train
from ambidex.policies.training.distributed import process_group, ranks_from_environment
from ambidex.policies.training.learner import Learner

STOP = 5


class StoppedLearner(Learner):
    """Fails in one step, as if all processes were killed."""

    def train_step(self, batches, step, clock):
        if step == STOP:
            raise InterruptedError
        return super().train_step(batches, step, clock)


def main(data, folder):
    toy_learner.register()
    layered_learner.register()
    with process_group(ranks_from_environment(), torch.device("cpu")):
        train.process_group = lambda ranks, device: nullcontext()  # one for all trainings
        fsdp = settings(data, folder / "fsdp", sharding="fsdp", **SHARDED)
        train.train(replace(fsdp, output_dir=folder / "ddp", sharding="none"))
        train.train(fsdp)
        parts = replace(fsdp, output_dir=folder / "parts", gradient_checkpointing=True)
        train.Learner = StoppedLearner
        try:
            train.train(parts)
        except InterruptedError:
            train.Learner = Learner
        train.train(replace(parts, resume=True))
        train.train(replace(fsdp, output_dir=folder / "half", precision="bf16"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
