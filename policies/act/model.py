"""ACT's network, from top to bottom.

Source: Zhao et al., "Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware", 2023, sections 3 and C.
B samples, K actions in a chunk, D d_model, S tokens, J joints, A action dimensions.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.act.camera_encoder import CameraEncoder
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.cvae_encoder import CvaeEncoder
from ambidex.policies.act.decoder_layer import DecoderLayer
from ambidex.policies.act.encoder_layer import EncoderLayer
from ambidex.policies.act.prediction import Prediction


class ActModel(nn.Module):
    """Everything between normalised observations and normalised actions.

    Args:
        config: Sizes.
        cameras: Camera names; empty for object poses instead.
        qpos: Dimensions of proprioception, J.
        objects: Dimensions of object poses, O.
        actions: Dimensions of an action, A.
    """

    def __init__(self, config: ActConfig, cameras: tuple[str, ...], qpos: int, objects: int, actions: int) -> None:
        super().__init__()
        d, sizes = config.d_model, (config.d_model, config.heads, config.feedforward, config.dropout)
        self.latent_size = config.latent
        self.cvae = CvaeEncoder(config, qpos, actions)

        self.latent = nn.Linear(config.latent, d)
        self.qpos = nn.Linear(qpos, d)
        self.objects = None if cameras else nn.Linear(objects, d)
        self.cameras = CameraEncoder(config, cameras) if cameras else None
        self.positions = nn.Parameter(torch.randn(2 if cameras else 3, d))  # of latent, proprioception, objects
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in range(config.encoder_layers))

        self.start = nn.Parameter(torch.zeros(d))
        self.queries = nn.Parameter(torch.randn(config.chunk_size, d))
        self.decoder = nn.ModuleList(DecoderLayer(*sizes, first=i == 0) for i in range(config.decoder_layers))
        self.norm = nn.LayerNorm(d)
        self.actions = nn.Linear(d, actions)
        self.padding = nn.Linear(d, 1) if config.padding_weight > 0 else None

    def forward(
        self,
        qpos: Tensor,
        objects: Tensor,
        images: Mapping[str, Tensor],
        demonstration: tuple[Tensor, Tensor] | None = None,
    ) -> Prediction:
        """Predict a chunk.

        Args:
            qpos: Shape (B, J), normalised.
            objects: Shape (B, O), normalised; looked at only without cameras.
            images: Camera -> (B, 3, H, W) uint8.
            demonstration: In training, the actions (B, K, A) and which of them are padding (B, K) bool.
        """
        mean, log_variance = (None, None) if demonstration is None else self.cvae(qpos, *demonstration)
        latent = self._sample(qpos, mean, log_variance)  # (B, latent)
        memory, positions = self._encode(latent, qpos, objects, images)  # (B, S, D), (S, D)
        tokens = self._decode(memory, positions).float()  # (B, K, D)
        with torch.autocast(tokens.device.type, enabled=False):  # the last step is cheap and deserves full precision
            actions = self.actions(tokens)  # (B, K, A)
            padding = None if self.padding is None else self.padding(tokens).squeeze(-1)  # (B, K)
        return Prediction(actions=actions, padding=padding, mean=mean, log_variance=log_variance)

    def _sample(self, qpos: Tensor, mean: Tensor | None, log_variance: Tensor | None) -> Tensor:
        """A draw that gradients pass through; zero, the mean of the prior, where nothing was inferred."""
        if mean is None or log_variance is None:
            return qpos.new_zeros(len(qpos), self.latent_size)
        return mean + torch.randn_like(mean) * (log_variance / 2).exp()

    def _encode(
        self, latent: Tensor, qpos: Tensor, objects: Tensor, images: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The encoder's output (B, S, D) and the positions of its tokens (S, D)."""
        tokens = [self.latent(latent)[:, None], self.qpos(qpos)[:, None]]  # (B, 1, D) each
        positions = [self.positions]  # (2, D), or (3, D) with objects
        if self.objects is not None:
            tokens.append(self.objects(objects)[:, None])
        if self.cameras is not None:
            seen, places = self.cameras(images)  # (B, S - 2, D), (S - 2, D)
            tokens.append(seen)
            positions.append(places)
        memory = torch.cat(tokens, dim=1)  # (B, S, D)
        places = torch.cat(positions).to(memory.dtype)  # (S, D)
        for layer in self.encoder:
            memory = layer(memory, places)
        return memory, places

    def _decode(self, memory: Tensor, positions: Tensor) -> Tensor:
        """The last layer's output, shape (B, K, D)."""
        queries = self.queries.to(memory.dtype)  # (K, D)
        tokens = self.start.to(memory.dtype).expand(len(memory), len(queries), -1)  # (B, K, D)
        placed = memory + positions  # (B, S, D)
        for layer in self.decoder:
            tokens = layer(tokens, queries, memory, placed)
        return self.norm(tokens)  # type: ignore[no-any-return]
