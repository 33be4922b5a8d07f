"""What one role of cameras takes from another."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.attention import Attention
from ambidex.policies.act.config import ActConfig


class RoleAttention(nn.Module):
    """Gated cross-attention from a source role to a target role, with projections and norms of its own.

    The gate starts at zero, so that training starts from the model without it; then the gate alone has a gradient,
    and once it is open everything has.

    Args:
        config: Sizes.
    """

    def __init__(self, config: ActConfig) -> None:
        super().__init__()
        self.norm_target = nn.LayerNorm(config.d_model)
        self.norm_source = nn.LayerNorm(config.d_model)
        self.attention = Attention(config.d_model, config.heads, config.dropout)
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, target: Tensor, target_places: Tensor, source: Tensor, source_places: Tensor) -> Tensor:
        """Queries from target (B, T, D), keys and values from source (B, S, D), with positions -> (B, T, D)."""
        query, value = self.norm_target(target), self.norm_source(source)
        return self.gate * self.attention(query + target_places, value + source_places, value)  # type: ignore[no-any-return]
