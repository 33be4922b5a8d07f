"""ACT's network: a conditional VAE whose decoder is a transformer from observations to a chunk of actions.

Source: Zhao et al., "Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware", 2023, section 4 and
appendix C; docs/policies.md lists the differences and their reasons.

B samples, K actions per chunk, D d_model, S tokens, J joints, O object dimensions, A action dimensions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ambidex.policies.act.cameras import CameraEncoder
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.transformer import DecoderLayer, EncoderLayer, decode, sequence_positions


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussian:
    """The CVAE encoder's distribution of the latent variable, with independent dimensions.

    Attributes:
        mean: Shape (B, latent).
        log_variance: Natural logarithm of the variance, shape (B, latent).
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self) -> Tensor:
        """A sample that gradients pass through (reparametrisation, Kingma & Welling, 2013), shape (B, latent)."""
        return self.mean + torch.randn_like(self.mean) * (self.log_variance / 2).exp()

    def divergence(self) -> Tensor:
        """KL divergence from a standard Gaussian: summed over dimensions, averaged over the batch, a scalar."""
        terms = self.mean.square() + self.log_variance.exp() - 1 - self.log_variance
        return terms.sum(-1).mean() / 2


class CvaeEncoder(nn.Module):
    """Encodes the style of a demonstration, from its actions and joint positions. Used in training only."""

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
        mask = torch.cat((is_pad.new_ones(len(qpos), 2), ~is_pad), dim=1)[:, None, None]  # (B, 1, 1, 2 + K)
        positions = self.positions.to(tokens.dtype)  # (2 + K, D)
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):  # only [CLS] is used of the last layer's output
            tokens = layer(tokens, positions, mask, wanted=1 if i == last else None)
        with torch.autocast(tokens.device.type, enabled=False):
            mean, log_variance = self.latent(tokens[:, 0].float()).chunk(2, dim=-1)  # (B, latent) each
        return Gaussian(mean=mean, log_variance=log_variance)


class ActModel(nn.Module):
    """Maps normalised observations to normalised actions.

    In training `cvae` infers the latent variable from the demonstration and `forward` gets a sample of it; otherwise
    the latent variable is zero, the mean of the prior. With several instructions in the config, the instruction is a
    learned vector beside the other tokens. Without cameras object poses are used instead.

    The last arguments are the dimensions J, O and A.
    """

    def __init__(self, config: ActConfig, cameras: tuple[str, ...], joints: int, objects: int, actions: int) -> None:
        super().__init__()
        d = config.d_model
        sizes = (d, config.heads, config.feedforward, config.dropout)
        self.cvae = CvaeEncoder(config, joints, actions)

        self.latent = nn.Linear(config.latent, d)
        self.qpos = nn.Linear(joints, d)
        self.objects = None if cameras else nn.Linear(objects, d)
        self.cameras = CameraEncoder(config, cameras) if cameras else None
        self.tasks = nn.Embedding(len(config.instructions), d) if config.instructions else None
        single = 2 + (not cameras) + (self.tasks is not None)
        self.positions = nn.Embedding(single, d)  # of the latent variable, proprioception, objects, task
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in range(config.encoder_layers))

        self.start = nn.Parameter(torch.zeros(d))
        self.queries = nn.Embedding(config.chunk_size, d)
        self.decoder = nn.ModuleList(DecoderLayer(*sizes, first=i == 0) for i in range(config.decoder_layers))
        self.norm = nn.LayerNorm(d)
        self.actions = nn.Linear(d, actions)
        self.padding = nn.Linear(d, 1) if config.padding_weight > 0 else None

    def forward(
        self,
        latent: Tensor,
        qpos: Tensor,
        objects: Tensor | None,
        images: Mapping[str, Tensor],
        task: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Predict a chunk: normalised actions (B, K, A), and logits of "beyond the end of the episode" (B, K).

        The latter are None without that head.

        Args:
            latent: Shape (B, latent).
            qpos: Shape (B, J), normalised.
            objects: Shape (B, O), normalised; None with cameras.
            images: Camera -> (B, 3, H, W) uint8; used with cameras only.
            task: Index of the instruction, shape (B,); None without instructions.
        """
        memory, positions = self._encode(latent, qpos, objects, images, task)  # (B, S, D), (S, D)
        tokens = decode(self.decoder, self.start, self.queries.weight, memory, positions)  # (B, K, D)
        tokens = self.norm(tokens).float()
        with torch.autocast(tokens.device.type, enabled=False):  # cheap, and its output is the result
            actions = self.actions(tokens)  # (B, K, A)
            padding = None if self.padding is None else self.padding(tokens).squeeze(-1)  # (B, K)
        return actions, padding

    def _encode(
        self, latent: Tensor, qpos: Tensor, objects: Tensor | None, images: Mapping[str, Tensor], task: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The encoder's output (B, S, D) and the positions of its tokens (S, D)."""
        tokens = [self.latent(latent)[:, None], self.qpos(qpos)[:, None]]  # (B, 1, D) each
        positions: list[Tensor] = [self.positions.weight]  # (2, D), one more with objects and with a task
        if self.objects is not None and objects is not None:
            tokens.append(self.objects(objects)[:, None])  # (B, 1, D)
        if self.tasks is not None and task is not None:
            tokens.append(self.tasks(task)[:, None])  # (B, 1, D)
        if self.cameras is not None:
            image_tokens, image_positions = self.cameras(images)  # (B, S - 2, D), (S - 2, D)
            tokens.append(image_tokens)  # after the single tokens, in the order of the positions
            positions.append(image_positions)
        memory, placed = torch.cat(tokens, dim=1), torch.cat(positions).to(tokens[0].dtype)  # (B, S, D), (S, D)
        for layer in self.encoder:
            memory = layer(memory, placed)
        return memory, placed
