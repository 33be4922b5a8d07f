"""The codebook of universal actions: codes, and how one is chosen.

Source: Zheng et al., "Universal Actions for Enhanced Embodied Foundation Models", CVPR 2025, sections 3.1 and 3.2;
Jang et al., "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ambidex.errors import UsageError, check_name
from ambidex.policies.uniact.losses import batch_mean

Mode = Literal["gumbel", "argmax"]
INITIAL_STD = 0.2  # of codes before training, as published
SPREAD_WEIGHT = 2.0  # with 1, choices become certain before they use many codes
SMALLEST_SHARE = torch.finfo(torch.float32).tiny


class Temperature(nn.Module):
    """Temperature of the Gumbel-softmax: falls linearly from `start` to `end` over some training steps, then stays.

    Its values are buffers, so a checkpoint has them. It is the same in all processes of a training.
    """

    step: Tensor
    start: Tensor
    end: Tensor
    steps: Tensor

    def __init__(self, start: float, end: float, steps: int) -> None:
        super().__init__()
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("start", torch.tensor(start))
        self.register_buffer("end", torch.tensor(end))
        self.register_buffer("steps", torch.tensor(steps, dtype=torch.int64))

    def forward(self) -> Tensor:
        """The current temperature, a scalar."""
        left = (self.steps - self.step).clamp(min=0) / self.steps
        return self.end + (self.start - self.end) * left

    def advance(self) -> None:
        """Count one training step."""
        self.step += 1

    def continue_from(self, other: "Temperature") -> None:
        """Copy the step of another one, if it falls between the same limits over as many steps."""
        pairs = ((self.start, other.start), (self.end, other.end), (self.steps, other.steps))
        if all(torch.equal(own, theirs) for own, theirs in pairs):
            self.step.copy_(other.step)


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """Universal actions of a batch, and the codes they are made from.

    Attributes:
        actions: Universal actions, shape (B, W).
        codes: The code with the largest weight in each, shape (B,) int64.
        divergence: KL divergence of the codes' probabilities from uniform ones, mean over the batch, a scalar [nat].
        information: Information of the codes about the features, a scalar [nat]; see `information`.
    """

    actions: Tensor
    codes: Tensor
    divergence: Tensor
    information: Tensor


class Codebook(nn.Module):
    """N codes of W dimensions, and the layer that chooses among them by F features. All of it computes in float32."""

    def __init__(self, features: int, size: int, width: int, temperature: Temperature) -> None:
        super().__init__()
        self.project = nn.Linear(features, size)
        self.codes = nn.Embedding(size, width)
        self.temperature = temperature
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        nn.init.normal_(self.codes.weight, std=INITIAL_STD)

    @property
    def size(self) -> int:
        """Number of codes, N."""
        return self.codes.num_embeddings

    def forward(self, features: Tensor, mode: Mode) -> Selection:
        """Choose codes by features.

        Args:
            features: Shape (B, F).
            mode: "gumbel" mixes codes with random weights that gradients pass through (Gumbel-softmax, soft);
                "argmax" takes the most likely code.

        Raises:
            UnknownNameError: No such mode.
        """
        check_name("selection of codes", mode, get_args(Mode))
        with torch.autocast(features.device.type, enabled=False):
            logits = self.project(features.float())  # (B, N)
            if mode == "gumbel":
                weights = nn.functional.gumbel_softmax(logits, tau=self.temperature(), dim=-1)  # (B, N)
                codes, actions = weights.argmax(-1), weights @ self.codes.weight  # (B,), (B, W)
            else:
                codes = logits.argmax(-1)
                actions = self.codes(codes)
            return Selection(
                actions=actions,
                codes=codes,
                divergence=divergence_from_uniform(logits),
                information=information(logits, all_ranks=self.training),
            )

    def lookup(self, codes: Tensor) -> Selection:
        """The selection of codes that were chosen before, shape (B,), without divergence and information."""
        actions = self.codes(codes)
        zero = actions.new_zeros(())
        return Selection(actions=actions, codes=codes, divergence=zero, information=zero)

    def fixed_code(self, code: int, count: int) -> Tensor:
        """One code for a whole batch, shape (count, W).

        Raises:
            UsageError: No such code.
        """
        self.check_code(code)
        return self.codes.weight[code].expand(count, -1)

    def check_code(self, code: int) -> None:
        """Check that a code exists.

        Raises:
            UsageError: It does not; the message says which do.
        """
        if not 0 <= code < self.size:
            problem = f"code {code}: the codebook has {self.size}. Expected 0 to {self.size - 1}."
            raise UsageError(problem, got=code, expected=self.size)


def divergence_from_uniform(logits: Tensor) -> Tensor:
    """KL(softmax(logits) || uniform) of each row (B, N), averaged: 0 if all are equal, log N for certainty."""
    log_shares = logits.log_softmax(-1)  # (B, N)
    return (log_shares.exp() * (log_shares + math.log(logits.shape[-1]))).sum(-1).mean()


def information(logits: Tensor, *, all_ranks: bool = False) -> Tensor:
    """Information of choices, rows (B, N), about the features they are made by; `all_ranks` as in `batch_mean`.

    `SPREAD_WEIGHT` times the entropy of the mean choice, which is large if all codes are used, less the mean entropy of
    the choices, which is small if each is certain. Source: Krause, Perona & Gomes, "Discriminative clustering by
    regularized information maximization", NIPS 2010, who weigh both alike.
    """
    log_shares = logits.log_softmax(-1)  # (B, N)
    shares = log_shares.exp()
    mean = batch_mean(shares, all_ranks=all_ranks).clamp_min(SMALLEST_SHARE)  # (N,); at 0 entropy has no gradient
    spread: Tensor = torch.special.entr(mean).sum()
    return SPREAD_WEIGHT * spread + (shares * log_shares).sum(-1).mean()
