"""One layer of a transformer encoder."""

from torch import Tensor, nn

from ambidex.policies.act.attention import Attention
from ambidex.policies.act.feedforward import FeedForward


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual and a norm after it, as in the original.

    Args:
        d_model: Width of tokens, D.
        heads: Attention heads.
        feedforward: Hidden width of the feed-forward part.
        dropout: Share of activations dropped in training.
    """

    def __init__(self, d_model: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(d_model, heads, dropout)
        self.feedforward = FeedForward(d_model, feedforward, dropout)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, positions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Tokens (B, S, D), positions (S, D), mask (B, 1, 1, S) of the tokens that count -> (B, S, D)."""
        tokens = self.norm1(tokens + self.dropout(self.attention.itself(tokens, positions, mask)))
        return self.norm2(tokens + self.dropout(self.feedforward(tokens)))  # type: ignore[no-any-return]
