"""Transformer layers of ACT: encoder and decoder layers, attention, feed-forward, dropout, and fixed positions.

B samples, S or K tokens of width D.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

BYTE = 256
TEMPERATURE = 10_000.0  # of positions


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual and a norm after it, as in the original."""

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
        """One layer. Positions are added to queries and keys, not to values.

        Args:
            tokens: Shape (B, S, D).
            positions: Shape (S, D).
            mask: Tokens to attend to, shape (B, 1, 1, S) bool; None for all.
            wanted: Number of tokens to compute, from the first on; None for all S.
        """
        placed = tokens + positions  # (B, S, D)
        attended = self.attention(placed[:, :wanted], placed, tokens, mask)  # (B, wanted, D)
        tokens = self.norm1(tokens[:, :wanted] + self.dropout(attended))
        return self.norm2(tokens + self.dropout(self.feedforward(tokens)))  # type: ignore[no-any-return]


class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoder's output and feed-forward, each with a residual and a norm after it.

    The `first` layer has no self-attention, as its tokens are all alike (docs/policies.md).
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


def decode(layers: nn.ModuleList, start: Tensor, queries: Tensor, memory: Tensor, positions: Tensor) -> Tensor:
    """The last decoder layer's output, shape (B, K, D).

    Args:
        layers: Decoder layers.
        start: All tokens before the first layer, shape (D,).
        queries: Positions of the tokens, shape (K, D).
        memory: The encoder's output, shape (B, S, D).
        positions: Positions of its tokens, shape (S, D).
    """
    queries = queries.to(memory.dtype)
    tokens = start.to(memory.dtype).expand(len(memory), len(queries), -1)  # (B, K, D)
    placed = memory + positions  # (B, S, D)
    for layer in layers:
        tokens = layer(tokens, queries, memory, placed)
    return tokens


class Attention(nn.Module):
    """Multi-head attention through torch's fused kernel, with dropout of attention weights."""

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
        """Queries (B, Q, D) attend to keys and values (B, S, D) where `mask` (B, 1, 1, S) is true."""
        weights, biases = self.in_weight.chunk(3), self.in_bias.chunk(3)
        projected = [F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]
        q, k, v = (x.view(*x.shape[:2], self.heads, -1).transpose(1, 2) for x in projected)  # (B, heads, S, D / heads)
        mixed = self._mix(q, k, v, mask)  # (B, heads, Q, D / heads)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _mix(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        if self.dropout.active and draws_bytes(q):
            return self._mix_unfused(q, k, v, mask)
        share = self.dropout.share if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=share)

    def _mix_unfused(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """The same with byte dropout; with dropout torch has no fused kernel on a CPU either."""
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)  # (B, heads, Q, S)
        if mask is not None:
            scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, -torch.inf)
        weights: Tensor = self.dropout(scores.softmax(-1))
        return weights @ v


class FeedForward(nn.Module):
    """Linear, ReLU, dropout, linear."""

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


class Dropout(nn.Module):
    """Dropout that is fast on a CPU: it draws one random byte for each activation, eight at once.

    torch draws one number for each activation there, which takes a fifth of ACT's training step. With bytes the share
    that is dropped in training is a multiple of 1/256 (26/256 for 0.1); the other activations are scaled up so that the
    mean stays. On other devices this is torch's own dropout.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        if not self.active:
            return x
        return x * _byte_mask(x, self.share) if draws_bytes(x) else F.dropout(x, self.share)

    @property
    def active(self) -> bool:
        """Whether anything is dropped."""
        return self.training and self.share > 0


def draws_bytes(x: Tensor) -> bool:
    """Whether dropout of this tensor draws bytes; compiled code is faster with torch's own dropout."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _byte_mask(x: Tensor, share: float) -> Tensor:
    """Like `x`: zero for what is dropped, the scale for the rest."""
    dropped = round(share * BYTE)  # of the 256 values of a byte
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    drawn = words.view(torch.uint8)[: x.numel()].view(x.shape)
    return drawn.to(x.dtype).ge_(dropped).mul_(BYTE / (BYTE - dropped))


def sequence_positions(length: int, d_model: int) -> Tensor:
    """Positions of tokens in a row, shape (length, d_model); source: Vaswani et al., "Attention Is All You Need"."""
    return _waves(torch.arange(length, dtype=torch.float32), d_model)


def image_positions(height: int, width: int, d_model: int, device: torch.device | None = None) -> Tensor:
    """Positions of image cells, row by row, shape (height * width, d_model); source: DETR (Carion et al., 2020).

    The first half of each vector encodes the row and the second the column, both scaled so that the last is at 2 pi.
    """
    rows = torch.arange(1, height + 1, device=device) / height * 2 * math.pi
    columns = torch.arange(1, width + 1, device=device) / width * 2 * math.pi
    y = _waves(rows, d_model // 2)[:, None].expand(height, width, -1)
    x = _waves(columns, d_model // 2)[None].expand(height, width, -1)
    return torch.cat((y, x), dim=-1).flatten(0, 1)


def _waves(places: Tensor, d: int) -> Tensor:
    """Sines and cosines in turn, of geometrically spaced frequencies: (N,) -> (N, d)."""
    wavelengths = TEMPERATURE ** (torch.arange(0, d, 2, device=places.device) / d)  # (d / 2,)
    angles = places[:, None] / wavelengths  # (N, d / 2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
