"""One training step: forward passes, backward passes, and the update of weights and their moving average."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from ambidex.errors import UsageError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.policy import Policy
from ambidex.policies.training.distributed import FSDP, mean_over_ranks
from ambidex.policies.training.large_models.sharding import free_gathered, shard, whole_tensor
from ambidex.policies.training.plan import TrainPlan
from ambidex.policies.training.state import MovingAverage, TrainingState
from ambidex.policies.training.training_log import StepClock

Losses = Callable[[TrainingBatch], Mapping[str, Tensor]]
NO_DECAY = (nn.Embedding, nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase, nn.RMSNorm)


class Learner:
    """Optimises a policy; `state` is everything that changes from step to step."""

    def __init__(self, plan: TrainPlan) -> None:
        config, policy = plan.config, plan.policy
        self._config, self._policy, self._ranks = config, policy, plan.ranks
        if config.backbone_learning_rate == 0:
            for parameter in policy.backbone_parameters():
                parameter.requires_grad_(False)
        if config.sharding == FSDP:
            shard(policy, plan.device, config.precision)
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
            parameters=dict(policy.named_parameters()),  # frozen ones too: resuming loads no pretrained weights
            buffers=dict(policy.named_buffers()),
            optimizer=self._optimizer,
            average=self._average,
        )
        module: nn.Module = LossModule(policy, config.precision)
        self._ddp = None if plan.ranks.alone or config.sharding == FSDP else _distributed(module, plan)
        wrapped = self._ddp or module
        self._losses = cast(Losses, torch.compile(wrapped) if config.compile else wrapped)

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """The weights that a checkpoint holds instead of the policy's own: the moving average, or none."""
        return self._average.values if self._average else {}

    @contextmanager
    def average_applied(self) -> Iterator[None]:
        """Within the block the policy has the weights that a checkpoint would hold."""
        with self._average.applied() if self._average else nullcontext():
            yield
        free_gathered(self._policy)

    def train_step(self, batches: Sequence[TrainingBatch], step: int, clock: StepClock) -> Mapping[str, Tensor]:
        """Do one step with some batches, whose gradients are added; returns the loss terms and the gradient norm."""
        self._optimizer.zero_grad(set_to_none=True)
        terms = self._backward(batches)
        clock.mark("forward_backward")
        norm = whole_tensor(clip_grad_norm_(self._parameters, self._config.gradient_clip or torch.inf, foreach=True))
        self._set_learning_rates(step)
        self._optimizer.step()
        self._policy.on_step_end()
        if self._average:
            self._average.update(step)
        clock.mark("update")
        return {**{f"loss/{name}": term for name, term in terms.items()}, "gradient_norm": norm}

    def learning_rates(self) -> dict[str, float]:
        """The highest and lowest learning rate of the last step."""
        rates = [float(group["lr"]) for group in self._optimizer.param_groups]
        return {"learning_rate/highest": max(rates), "learning_rate/lowest": min(rates)}

    def _backward(self, batches: Sequence[TrainingBatch]) -> dict[str, Tensor]:
        """Add the gradients of all batches; returns the weighted means of the loss terms."""
        means: dict[str, Tensor] = {}
        for index, (batch, weight) in enumerate(zip(batches, self._weights_of(batches), strict=True)):
            with self._without_exchange() if index + 1 < len(batches) else nullcontext():
                terms = self._losses(batch)
                (weight * terms["loss"]).backward()
            for name, term in terms.items():
                means[name] = means.get(name, 0.0) + weight * term.detach()
        return means

    def _weights_of(self, batches: Sequence[TrainingBatch]) -> Tensor:
        """The weight of each batch of a step, shape (N,): its share of the actions that are not padding.

        So that means over these actions are those of one batch with the samples of all batches and processes. The mean
        over processes of the sum of weights is 1. One batch per process counts as much as any other, as DDP has it.
        """
        if len(batches) == 1 and self._config.sharding != FSDP:
            return torch.ones(1, device=batches[0].actions.device)
        counts = torch.stack([(~batch.is_pad).sum() for batch in batches]).float()
        return counts / mean_over_ranks(counts.sum(), self._ranks)

    def _without_exchange(self) -> AbstractContextManager[None]:
        """Within the block DDP does not average gradients over processes. FSDP always does: whole ones take memory."""
        return self._ddp.no_sync() if self._ddp else nullcontext()

    def _set_learning_rates(self, step: int) -> None:
        config = self._config
        factor = rate_factor(step, steps=config.steps, warmup_steps=config.warmup_steps, schedule=config.schedule)
        for group in self._optimizer.param_groups:
            group["lr"] = factor * group["initial_lr"]


class LossModule(nn.Module):
    """A policy's losses as the forward pass of a module, which DDP and torch.compile can wrap.

    Precision "bf16" runs under autocast; losses are float32 either way.
    """

    def __init__(self, policy: Policy, precision: str) -> None:
        super().__init__()
        self.policy, self._mixed = policy, precision == "bf16"

    def forward(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """The loss terms by name."""
        with torch.autocast(batch.actions.device.type, dtype=torch.bfloat16, enabled=self._mixed):
            terms = self.policy.losses(batch)
        return {name: term.float() for name, term in terms.items()}


def _distributed(module: nn.Module, plan: TrainPlan) -> DistributedDataParallel:
    """The module with gradients averaged over processes.

    Buffers are the same in all processes. With views into the buckets, gradients need no copy before they are sent. A
    step of one embodiment has no gradients for the weights of the others. DDP adds no gradients in a static graph.
    """
    static = len(plan.data) == 1 and plan.config.accumulate_steps == 1
    return DistributedDataParallel(
        module,
        static_graph=static,
        find_unused_parameters=not static,
        broadcast_buffers=False,
        gradient_as_bucket_view=True,
    )


def rate_factor(step: int, *, steps: int, warmup_steps: int, schedule: str) -> float:
    """Learning rate of a step, from 0, as a share of the peak, in (0, 1].

    It rises linearly over `warmup_steps`. Then "cosine" falls to 0 at `steps`, the end of the run (Loshchilov & Hutter,
    "SGDR", ICLR 2017), "constant" stays at 1.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    if schedule == "constant":
        return 1.0
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))


def make_optimizer(
    policy: Policy, *, learning_rate: float, backbone_learning_rate: float, weight_decay: float
) -> AdamW:
    """AdamW (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019), fused.

    The peak learning rate of each group is its "initial_lr". Norms, embeddings and vectors have no weight decay.

    Raises:
        UsageError: All weights are frozen.
    """
    backbone = {id(parameter) for parameter in policy.backbone_parameters()}
    undecayed = _undecayed(policy)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in trained_parameters(policy).values():
        rate = backbone_learning_rate if id(parameter) in backbone else learning_rate
        decay = 0.0 if id(parameter) in undecayed else weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    if not groups:
        problem = "No weight is trained: all are frozen by the settings."
        hint = "Leave out --adapt, or a flag that freezes weights; with words as actions --proprioception has some."
        raise UsageError(problem, hint, policy=policy.name)
    return AdamW(
        [
            {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def trained_parameters(policy: nn.Module) -> Mapping[str, nn.Parameter]:
    """Name -> parameter, without frozen ones."""
    return {name: parameter for name, parameter in policy.named_parameters() if parameter.requires_grad}


def _undecayed(policy: nn.Module) -> set[int]:
    """Ids of the parameters of norms and embeddings, and of all vectors: biases, gates, single tokens."""
    return {
        id(parameter)
        for module in policy.modules()
        for parameter in module.parameters(recurse=False)
        if isinstance(module, NO_DECAY) or parameter.numel() == max(parameter.shape, default=1)
    }
