"""One training step: forward, backward, update."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.training.ema import MovingAverage
from ambidex.policies.training.learning_rate import rate_factor
from ambidex.policies.training.loss_module import LossModule
from ambidex.policies.training.optimizer import make_optimizer, trained_parameters
from ambidex.policies.training.step_clock import StepClock
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training.training_state import TrainingState

Losses = Callable[[TrainingBatch], Mapping[str, Tensor]]


class Learner:
    """A policy that learns.

    Args:
        plan: What is trained and how.

    Attributes:
        state: All that changes from step to step.
    """

    def __init__(self, plan: TrainPlan) -> None:
        config, policy = plan.config, plan.policy
        self._config, self._policy = config, policy
        if config.backbone_learning_rate == 0:
            for parameter in policy.backbone_parameters():
                parameter.requires_grad_(False)
        named = trained_parameters(policy)
        self._parameters = list(named.values())
        self._optimizer = make_optimizer(
            policy,
            learning_rate=config.learning_rate,
            backbone_learning_rate=config.backbone_learning_rate,
            weight_decay=config.weight_decay,
        )
        self._average = MovingAverage(named, config.ema_decay) if config.ema_decay > 0 else None
        self.state = TrainingState(
            parameters=dict(policy.named_parameters()),  # frozen ones too: on resuming nobody loads them again
            buffers=dict(policy.named_buffers()),
            optimizer=self._optimizer,
            average=self._average,
        )
        self._losses = _wrapped(plan)

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """The weights to use the policy with, as far as they are not its own: the moving average."""
        return self._average.values if self._average else {}

    def used_weights(self) -> AbstractContextManager[None]:
        """Within, the policy has the weights to use it with."""
        return self._average.applied() if self._average else nullcontext()

    def learn(self, batch: TrainingBatch, step: int, clock: StepClock) -> Mapping[str, Tensor]:
        """Do one step; the terms of the loss and the norm of the gradient."""
        self._optimizer.zero_grad(set_to_none=True)
        terms = self._losses(batch)
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        clock.mark("forward_backward")
        norm = clip_grad_norm_(self._parameters, self._config.gradient_clip or torch.inf, foreach=True)
        self._set_rates(step)
        self._optimizer.step()
        self._policy.step_done()
        if self._average:
            self._average.update(step)
        clock.mark("update")
        return {**{f"loss/{name}": term for name, term in terms.items()}, "gradient_norm": norm}

    def rates(self) -> dict[str, float]:
        """The highest and lowest learning rate of the last step."""
        rates = [float(group["lr"]) for group in self._optimizer.param_groups]
        return {"learning_rate/highest": max(rates), "learning_rate/lowest": min(rates)}

    def _set_rates(self, step: int) -> None:
        config = self._config
        factor = rate_factor(step, steps=config.steps, warmup_steps=config.warmup_steps, schedule=config.schedule)
        for group in self._optimizer.param_groups:
            group["lr"] = factor * group["initial_lr"]


def _wrapped(plan: TrainPlan) -> Losses:
    module: torch.nn.Module = LossModule(plan.policy, plan.config.precision)
    if not plan.ranks.alone:
        # Buffers are the same everywhere, and a gradient that lies in the bucket it is sent in is not copied there.
        # A step of one robot leaves the weights of the others alone.
        same = len(plan.robots) == 1
        module = DistributedDataParallel(
            module,
            static_graph=same,
            find_unused_parameters=not same,
            broadcast_buffers=False,
            gradient_as_bucket_view=True,
        )
    return cast(Losses, torch.compile(module) if plan.config.compile else module)
