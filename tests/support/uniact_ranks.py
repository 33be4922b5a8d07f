"""The command train-policy for tests of several processes: torchrun ... uniact_ranks.py FLAGS.

Beside the run folder RUN each process writes RUN-RANK.safetensors: its final weights, and a gradient of the information
of codes, averaged as DDP does.
"""

import torch
import torch.distributed as dist

from ambidex.policies.checkpoint import write_tensors
from ambidex.policies.train_policy import main
from ambidex.policies.training import train
from ambidex.policies.training.learner import Learner
from ambidex.policies.uniact.codebook import information

ROWS, FEATURES, CODES = 8, 6, 16


def information_gradient(rank=0, ranks=1):
    """Value and gradient of the information of some choices, which are divided among the processes."""
    generator = torch.Generator().manual_seed(5)
    rows, project = (torch.randn(shape, generator=generator) for shape in ((ROWS, FEATURES), (FEATURES, CODES)))
    project.requires_grad_()
    value = information(rows[rank::ranks] @ project, all_ranks=True)
    value.backward()
    return value.detach(), project.grad


class WatchedLearner(Learner):
    """Checks after each step that the weights of the other embodiments have not changed."""

    def __init__(self, plan):
        super().__init__(plan)
        self._plan = plan

    def train_step(self, batches, step, clock):
        others = [data.embodiment for data in self._plan.data if data.embodiment != batches[0].observation.embodiment]
        domains = [self._plan.policy.model.domain(embodiment) for embodiment in others]
        before = [parameter.clone() for domain in domains for parameter in domain.parameters()]
        terms = super().train_step(batches, step, clock)
        after = [parameter for domain in domains for parameter in domain.parameters()]
        assert all(parameter.grad is None for parameter in after), f"step {step}: {others} have gradients"
        assert all(map(torch.equal, before, after)), f"step {step}: {others} have changed"
        if step + 1 == self._plan.config.steps:
            self._write_result()
        return terms

    def _write_result(self):
        run, ranks = self._plan.run, self._plan.ranks
        value, gradient = information_gradient(ranks.rank, ranks.count)
        for tensor in (value, gradient):
            dist.all_reduce(tensor)
            tensor /= ranks.count
        found = {**self._plan.policy.state_dict(), "information": value, "information_gradient": gradient}
        write_tensors(run.with_name(f"{run.name}-{ranks.rank}.safetensors"), found)


if __name__ == "__main__":
    train.Learner = WatchedLearner
    main()
