"""One layer of a transformer decoder."""

from torch import Tensor, nn

from ambidex.policies.act.attention import Attention
from ambidex.policies.act.dropout import Dropout
from ambidex.policies.act.feedforward import FeedForward


class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoder's output and feed-forward, each with a residual and a norm after it.

    Args:
        d_model: Width of tokens, D.
        heads: Attention heads.
        feedforward: Hidden width of the feed-forward part.
        dropout: Share of activations dropped in training.
        first: The first layer, whose tokens are all alike, has no self-attention (docs/policies.md says why).
    """

    def __init__(self, d_model: int, heads: int, feedforward: int, dropout: float, *, first: bool) -> None:
        super().__init__()
        self.attention = None if first else Attention(d_model, heads, dropout)
        self.norm1 = None if first else nn.LayerNorm(d_model)
        self.cross_attention = Attention(d_model, heads, dropout)
        self.feedforward = FeedForward(d_model, feedforward, dropout)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm3 = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor, queries: Tensor, memory: Tensor, placed_memory: Tensor) -> Tensor:
        """Tokens (B, K, D), queries (K, D), memory (B, S, D) without and with its positions -> (B, K, D)."""
        if self.attention is not None and self.norm1 is not None:
            placed = tokens + queries  # (B, K, D)
            tokens = self.norm1(tokens + self.dropout(self.attention(placed, placed, tokens)))
        tokens = self.norm2(tokens + self.dropout(self.cross_attention(tokens + queries, placed_memory, memory)))
        return self.norm3(tokens + self.dropout(self.feedforward(tokens)))  # type: ignore[no-any-return]
