"""The codebook of universal actions.

Source: Zheng et al., "Universal Actions for Enhanced Embodied Foundation Models", CVPR 2025, sections 3.1 and 3.2;
Jang et al., "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.uniact.losses import batch_mean

# FOLDED policies.uniact.temperature: The temperature of Gumbel-softmax, which falls as training goes on.


class Temperature(nn.Module):
    """Falls linearly with the training step and then stays. All of it is buffers, so a checkpoint keeps it.

    Every process of a training makes the same steps, so it is the same in all of them.

    Args:
        start: Before the first step.
        end: From the last step on.
        steps: Training steps over which it falls, 1 or more.
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
        """The temperature now, a scalar."""
        left = (self.steps - self.step).clamp(min=0) / self.steps
        return self.end + (self.start - self.end) * left

    def advance(self) -> None:
        """One training step is done."""
        self.step += 1

    def go_on_from(self, other: "Temperature") -> None:
        """Be as far as another one, if it falls between the same limits over as many steps."""
        pairs = ((self.start, other.start), (self.end, other.end), (self.steps, other.steps))
        if all(torch.equal(own, theirs) for own, theirs in pairs):
            self.step.copy_(other.step)


# FOLDED policies.uniact.selection: What the codebook chose.


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """Universal actions of a batch, and where they come from.

    Attributes:
        actions: Universal actions, shape (B, W).
        codes: The code that weighs most in each, shape (B,) int64.
        divergence: KL divergence of the codes' probabilities from the uniform ones, averaged over the batch, a scalar
            in nats.
        information: How much the codes say about what they were chosen by, a scalar in nats.
    """

    actions: Tensor
    codes: Tensor
    divergence: Tensor
    information: Tensor


Mode = Literal["gumbel", "argmax"]
FIRST_STD = 0.2  # of codes before training, as published
SPREAD = 2.0  # with 1, choices become certain before they are spread
LEAST_SHARE = torch.finfo(torch.float32).tiny


class Codebook(nn.Module):
    """N codes, W numbers each, and the layer that chooses among them. All of it computes in float32.

    Args:
        features: Dimensions of what it chooses by, F.
        size: Codes, N.
        width: Dimensions of a code, W.
        temperature: Of Gumbel-softmax.
    """

    def __init__(self, features: int, size: int, width: int, temperature: Temperature) -> None:
        super().__init__()
        self.project = nn.Linear(features, size)
        self.codes = nn.Embedding(size, width)
        self.temperature = temperature
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        nn.init.normal_(self.codes.weight, std=FIRST_STD)

    @property
    def size(self) -> int:
        """Codes, N."""
        return self.codes.num_embeddings

    def forward(self, features: Tensor, mode: Mode) -> Selection:
        """Choose by features, shape (B, F).

        Args:
            features: What to choose by.
            mode: "gumbel" mixes codes with weights of a random draw that gradients pass through; "argmax" takes the
                likeliest code as it is.

        Raises:
            UnknownNameError: No such mode.
        """
        if mode not in get_args(Mode):
            raise UnknownNameError("selection of codes", mode, get_args(Mode))
        with torch.autocast(features.device.type, enabled=False):
            logits = self.project(features.float())  # (B, N)
            weights = self._drawn(logits) if mode == "gumbel" else None  # (B, N)
            codes = (logits if weights is None else weights).argmax(-1)  # (B,)
            actions = self.codes(codes) if weights is None else weights @ self.codes.weight  # (B, W)
            return Selection(
                actions=actions,
                codes=codes,
                divergence=divergence_from_uniform(logits),
                information=information(logits, whole=self.training),
            )

    def looked_up(self, codes: Tensor) -> Selection:
        """What codes stand for that were chosen before, shape (B,); what is not known of the choice counts as 0."""
        actions = self.codes(codes)
        nothing = actions.new_zeros(())
        return Selection(actions=actions, codes=codes, divergence=nothing, information=nothing)

    def fixed_code(self, code: int, count: int) -> Tensor:
        """One code for all of a batch, whatever it sees, shape (count, W).

        Raises:
            UsageError: No such code.
        """
        self.check(code)
        return self.codes.weight[code].expand(count, -1)

    def check(self, code: int) -> None:
        """Refuse what is no code.

        Raises:
            UsageError: Says which there are.
        """
        if not 0 <= code < self.size:
            raise UsageError(f"code {code}: the codebook has {self.size}. Expected 0 to {self.size - 1}.")

    def _drawn(self, logits: Tensor) -> Tensor:
        """Weights that add up to 1, shape (B, N): Gumbel-softmax, soft."""
        return nn.functional.gumbel_softmax(logits, tau=self.temperature(), dim=-1)


def divergence_from_uniform(logits: Tensor) -> Tensor:
    """KL(softmax(logits) || uniform) of each row (B, N), averaged: 0 if all are equal, log N for certainty."""
    log_shares = logits.log_softmax(-1)  # (B, N)
    return (log_shares.exp() * (log_shares + math.log(logits.shape[-1]))).sum(-1).mean()


def information(logits: Tensor, *, whole: bool = False) -> Tensor:
    """How much choices, rows (B, N), say about what they were made by; `whole` as in `batch_mean`.

    `SPREAD` times the entropy of the mean choice, which is large if all codes are used, less the mean entropy of the
    choices, which is small if each is certain. Source: Krause, Perona & Gomes, "Discriminative clustering by
    regularized information maximization", NIPS 2010, who weigh both alike.
    """
    log_shares = logits.log_softmax(-1)  # (B, N)
    shares = log_shares.exp()
    mean = batch_mean(shares, whole=whole).clamp_min(LEAST_SHARE)  # (N,); at 0 entropy has no gradient
    spread: Tensor = torch.special.entr(mean).sum()
    return SPREAD * spread + (shares * log_shares).sum(-1).mean()
