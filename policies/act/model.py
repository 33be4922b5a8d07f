"""ACT's network, from top to bottom.

Source: Zhao et al., "Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware", 2023, section 4 and
appendix C; docs/policies.md says where it differs and why.

B samples, K actions in a chunk, D d_model, S tokens, J joints, O object dimensions, A action dimensions.
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

    In training `cvae` infers the latent variable from the demonstration and a draw of it is given to `forward`;
    otherwise it is zero, the mean of the prior.

    Args:
        config: Sizes.
        cameras: Camera names; empty for object poses instead.
        joints: Dimensions of proprioception, J.
        objects: Dimensions of object poses, O.
        actions: Dimensions of an action, A.

    With several instructions in the config, which one is a learned vector beside the other tokens.
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
    ) -> Prediction:
        """Predict a chunk.

        Args:
            latent: Shape (B, latent).
            qpos: Shape (B, J), normalised.
            objects: Shape (B, O), normalised; None with cameras.
            images: Camera -> (B, 3, H, W) uint8; looked at only with cameras.
            task: Index of the instruction, shape (B,); None without instructions.
        """
        memory, positions = self._encode(latent, qpos, objects, images, task)  # (B, S, D), (S, D)
        tokens = self._decode(memory, positions).float()  # (B, K, D)
        with torch.autocast(tokens.device.type, enabled=False):  # cheap, and what it gives is the result
            actions = self.actions(tokens)  # (B, K, A)
            padding = None if self.padding is None else self.padding(tokens).squeeze(-1)  # (B, K)
        return Prediction(actions=actions, padding=padding)

    def _encode(
        self,
        latent: Tensor,
        qpos: Tensor,
        objects: Tensor | None,
        images: Mapping[str, Tensor],
        task: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """The encoder's output (B, S, D) and the positions of its tokens (S, D)."""
        tokens = [self.latent(latent)[:, None], self.qpos(qpos)[:, None]]  # (B, 1, D) each
        positions: list[Tensor] = [self.positions.weight]  # (2, D), one more with objects and with a task
        if self.objects is not None and objects is not None:
            tokens.append(self.objects(objects)[:, None])  # (B, 1, D)
        if self.tasks is not None and task is not None:
            tokens.append(self.tasks(task)[:, None])  # (B, 1, D)
        if self.cameras is not None:
            seen, places = self.cameras(images)  # (B, S - 2, D), (S - 2, D)
            tokens.append(seen)  # the last ones, as their places are
            positions.append(places)
        memory, placed = torch.cat(tokens, dim=1), torch.cat(positions).to(tokens[0].dtype)  # (B, S, D), (S, D)
        for layer in self.encoder:
            memory = layer(memory, placed)
        return memory, placed

    def _decode(self, memory: Tensor, positions: Tensor) -> Tensor:
        """The last layer's output, shape (B, K, D)."""
        queries = self.queries.weight.to(memory.dtype)  # (K, D)
        tokens = self.start.to(memory.dtype).expand(len(memory), len(queries), -1)  # (B, K, D)
        placed = memory + positions  # (B, S, D)
        for layer in self.decoder:
            tokens = layer(tokens, queries, memory, placed)
        return self.norm(tokens)  # type: ignore[no-any-return]
