"""The temperature of Gumbel-softmax, which falls as training goes on."""

import torch
from torch import Tensor, nn


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
