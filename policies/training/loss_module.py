"""A policy's losses as a module's forward pass, which is what DDP, torch.compile and autocast wrap."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.policy import Policy


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
