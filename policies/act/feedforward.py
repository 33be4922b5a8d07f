"""Feed-forward part of a transformer layer."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.dropout import Dropout


class FeedForward(nn.Module):
    """Linear, ReLU, linear, with dropout between.

    Args:
        d_model: Width of tokens, D.
        hidden: Width between.
        dropout: Share of hidden activations dropped in training.
    """

    def __init__(self, d_model: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear1 = nn.Linear(d_model, hidden)
        self.linear2 = nn.Linear(hidden, d_model)
        self.dropout = Dropout(dropout)
        for linear in (self.linear1, self.linear2):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (B, S, D) -> the same."""
        return self.linear2(self.dropout(torch.relu(self.linear1(tokens))))  # type: ignore[no-any-return]
