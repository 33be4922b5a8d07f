"""One layer of a transformer in which a token sees itself and those before it."""

import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn


class CausalLayer(nn.Module):
    """Causal self-attention and feed-forward, each with a norm before it and a residual.

    Args:
        width: Width of tokens, D.
        heads: Attention heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feedforward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (B, S, D) -> the same."""
        tokens = tokens + self.out(self._attended(self.norm1(tokens)))
        return tokens + self.feedforward(self.norm2(tokens))  # type: ignore[no-any-return]

    def _attended(self, tokens: Tensor) -> Tensor:
        parts = self.query_key_value(tokens).chunk(3, dim=-1)  # (B, S, D) each
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)  # (B, heads, S, D / heads)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.transpose(1, 2).flatten(2)
