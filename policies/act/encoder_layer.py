"""One layer of a transformer encoder."""

from torch import Tensor, nn

from ambidex.policies.act.attention import Attention
from ambidex.policies.act.dropout import Dropout
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
        self.dropout = Dropout(dropout)

    def forward(
        self, tokens: Tensor, positions: Tensor, mask: Tensor | None = None, wanted: int | None = None
    ) -> Tensor:
        """One layer. Positions join queries and keys, not values.

        Args:
            tokens: Shape (B, S, D).
            positions: Shape (S, D).
            mask: Which tokens count, shape (B, 1, 1, S) bool; None for all.
            wanted: How many tokens, from the first on, to work out; None for all S.
        """
        placed = tokens + positions  # (B, S, D)
        attended = self.attention(placed[:, :wanted], placed, tokens, mask)  # (B, wanted, D)
        tokens = self.norm1(tokens[:, :wanted] + self.dropout(attended))
        return self.norm2(tokens + self.dropout(self.feedforward(tokens)))  # type: ignore[no-any-return]
