"""Multi-head attention."""

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.policies.act.dropout import Dropout, draws_bytes


class Attention(nn.Module):
    """Multi-head attention through torch's fused kernel; never makes the matrix of weights for anyone to look at.

    Args:
        d_model: Width of tokens, D.
        heads: Heads.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, d_model: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = Dropout(dropout)
        self.in_weight = nn.Parameter(torch.empty(3 * d_model, d_model))  # query, key, value
        self.in_bias = nn.Parameter(torch.zeros(3 * d_model))
        self.out = nn.Linear(d_model, d_model)
        nn.init.xavier_uniform_(self.in_weight)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Queries (B, Q, D) attend to keys and values (B, S, D), of which those in `mask` (B, 1, 1, S) count."""
        weights, biases = self.in_weight.chunk(3), self.in_bias.chunk(3)
        projected = [F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]
        q, k, v = (x.view(*x.shape[:2], self.heads, -1).transpose(1, 2) for x in projected)  # (B, heads, S, D / heads)
        mixed = self._mix(q, k, v, mask)  # (B, heads, Q, D / heads)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _mix(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        if self.dropout.active and draws_bytes(q):
            return self._mix_by_hand(q, k, v, mask)
        share = self.dropout.share if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=share)

    def _mix_by_hand(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """The same with quick dropout; with dropout on a CPU torch has no fused kernel either."""
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)  # (B, heads, Q, S)
        if mask is not None:
            scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, -torch.inf)
        weights: Tensor = self.dropout(scores.softmax(-1))
        return weights @ v
