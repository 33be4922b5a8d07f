"""The encoder of ACT's conditional variational autoencoder (CVAE), used in training alone."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.encoder_layer import EncoderLayer
from ambidex.policies.act.gaussian import Gaussian
from ambidex.policies.act.positions import sequence_positions


class CvaeEncoder(nn.Module):
    """The style of a demonstration, from its actions and where the robot stood.

    Args:
        config: Sizes.
        joints: Dimensions of proprioception, J.
        actions: Dimensions of an action, A.
    """

    positions: Tensor

    def __init__(self, config: ActConfig, joints: int, actions: int) -> None:
        super().__init__()
        d = config.d_model
        self.cls = nn.Embedding(1, d)
        self.qpos = nn.Linear(joints, d)
        self.actions = nn.Linear(actions, d)
        sizes = (d, config.heads, config.feedforward, config.dropout)
        self.layers = nn.ModuleList(EncoderLayer(*sizes) for _ in range(config.cvae_layers))
        self.latent = nn.Linear(d, 2 * config.latent)
        self.register_buffer("positions", sequence_positions(2 + config.chunk_size, d), persistent=False)

    def forward(self, qpos: Tensor, actions: Tensor, is_pad: Tensor) -> Gaussian:
        """From (B, J), (B, K, A), both normalised, and (B, K) bool."""
        steps = self.actions(actions)  # (B, K, D)
        cls = self.cls.weight.to(steps.dtype).expand(len(qpos), 1, -1)  # (B, 1, D)
        tokens = torch.cat((cls, self.qpos(qpos)[:, None], steps), dim=1)  # (B, 2 + K, D)
        counts = torch.cat((is_pad.new_ones(len(qpos), 2), ~is_pad), dim=1)[:, None, None]  # (B, 1, 1, 2 + K)
        positions = self.positions.to(tokens.dtype)  # (2 + K, D)
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):  # of the last layer's output, only [CLS] is looked at
            tokens = layer(tokens, positions, counts, wanted=1 if i == last else None)
        with torch.autocast(tokens.device.type, enabled=False):
            mean, log_variance = self.latent(tokens[:, 0].float()).chunk(2, dim=-1)  # (B, latent) each
        return Gaussian(mean=mean, log_variance=log_variance)
