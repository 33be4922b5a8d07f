"""One training step: forward, backward, update."""

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.policy import Policy
from ambidex.policies.training.logging import StepClock
from ambidex.policies.training.plan import TrainPlan
from ambidex.policies.training.state import MovingAverage, TrainingState

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
        self._policy.on_step_end()
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


# FOLDED policies.training.loss_module: A policy's losses as a module's forward pass, which is what DDP, torch.compile and autocast wrap.


class LossModule(nn.Module):
    """Calls `policy.losses` in a precision.

    Args:
        policy: The policy.
        precision: "bf16" runs under autocast; losses are float32 either way.
    """

    def __init__(self, policy: Policy, precision: str) -> None:
        super().__init__()
        self.policy, self._mixed = policy, precision == "bf16"

    def forward(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """The terms of the loss by name."""
        with torch.autocast(batch.actions.device.type, dtype=torch.bfloat16, enabled=self._mixed):
            terms = self.policy.losses(batch)
        return {name: term.float() for name, term in terms.items()}


# FOLDED policies.training.learning_rate: What the learning rate does over a run.


def rate_factor(step: int, *, steps: int, warmup_steps: int, schedule: str) -> float:
    """Share of the highest rate in a step, in (0, 1].

    Args:
        step: From 0.
        steps: Of the whole run.
        warmup_steps: Over these it rises linearly.
        schedule: "cosine" falls to 0 at `steps` (Loshchilov & Hutter, "SGDR", ICLR 2017), "constant" stays at 1.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    if schedule == "constant":
        return 1.0
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))


# FOLDED policies.training.optimizer: AdamW with the backbone's own rate, and no decay where decay does harm.

UNDECAYED = (nn.Embedding, nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase, nn.RMSNorm)


def make_optimizer(
    policy: Policy, *, learning_rate: float, backbone_learning_rate: float, weight_decay: float
) -> AdamW:
    """AdamW (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019) in its fused form.

    Each group's own highest rate stands in its "initial_lr".
    """
    backbone = {id(parameter) for parameter in policy.backbone_parameters()}
    undecayed = _undecayed(policy)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in trained_parameters(policy).values():
        rate = backbone_learning_rate if id(parameter) in backbone else learning_rate
        decay = 0.0 if id(parameter) in undecayed else weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return AdamW(
        [
            {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def trained_parameters(policy: nn.Module) -> Mapping[str, nn.Parameter]:
    """Name -> parameter, of those that learn."""
    return {name: parameter for name, parameter in policy.named_parameters() if parameter.requires_grad}


def _undecayed(policy: nn.Module) -> set[int]:
    """Ids of the parameters of norms and embeddings, and of all vectors: biases, gates, single tokens."""
    return {
        id(parameter)
        for module in policy.modules()
        for parameter in module.parameters(recurse=False)
        if isinstance(module, UNDECAYED) or parameter.numel() == max(parameter.shape, default=1)
    }
