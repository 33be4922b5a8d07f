"""The encoder of ACT's conditional variational autoencoder."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.encoder_layer import EncoderLayer
from ambidex.policies.act.positions import sequence_positions


class CvaeEncoder(nn.Module):
    """What style a demonstration has: its actions and where the robot stood, as a Gaussian over the latent variable.

    Args:
        config: Sizes.
        qpos: Dimensions of proprioception, J.
        actions: Dimensions of an action, A.
    """

    positions: Tensor

    def __init__(self, config: ActConfig, qpos: int, actions: int) -> None:
        super().__init__()
        d = config.d_model
        self.cls = nn.Parameter(torch.randn(d))
        self.qpos = nn.Linear(qpos, d)
        self.actions = nn.Linear(actions, d)
        self.layers = nn.ModuleList(
            EncoderLayer(d, config.heads, config.feedforward, config.dropout) for _ in range(config.cvae_layers)
        )
        self.latent = nn.Linear(d, 2 * config.latent)
        self.register_buffer("positions", sequence_positions(2 + config.chunk_size, d), persistent=False)

    def forward(self, qpos: Tensor, actions: Tensor, is_pad: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance, each (B, latent), from (B, J), (B, K, A) and (B, K) bool."""
        actions_in = self.actions(actions)  # (B, K, D)
        cls = self.cls.to(actions_in.dtype).expand(len(qpos), 1, -1)  # (B, 1, D)
        tokens = torch.cat((cls, self.qpos(qpos)[:, None], actions_in), dim=1)  # (B, 2 + K, D)
        counts = torch.cat((is_pad.new_ones(len(qpos), 2), ~is_pad), dim=1)[:, None, None]  # (B, 1, 1, 2 + K)
        positions = self.positions.to(tokens.dtype)  # (2 + K, D)
        for layer in self.layers:
            tokens = layer(tokens, positions, counts)
        mean, log_variance = self.latent(tokens[:, 0]).float().chunk(2, dim=-1)  # (B, latent) each
        return mean, log_variance
