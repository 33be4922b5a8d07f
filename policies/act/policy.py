"""ACT as a policy: normalisation around the network, and its losses."""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.model import ActModel
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.normalization import Normalization
from ambidex.policies.policy import Policy
from ambidex.policies.policy_inputs import PolicyInputs
from ambidex.policies.statistics import Statistics


class ActPolicy(Policy):
    """Action Chunking with Transformers.

    Args:
        config: Sizes and weights.
        spec: Spec of the environment of the training data.
        statistics: Of the training data.
    """

    name = "act"
    config_type: ClassVar[type[ActConfig]] = ActConfig

    def __init__(self, config: ActConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        cameras = () if config.observations == "state" else config.cameras or spec.cameras
        self.config = config
        self.spec = spec
        self.inputs = PolicyInputs(cameras=cameras, objects=config.observations == "state", instruction=False)
        self.chunk_size = config.chunk_size
        self.qpos = Normalization(statistics.qpos)
        self.objects = Normalization(statistics.objects)
        self.actions = Normalization(statistics.actions)
        self.model = ActModel(
            config, cameras, len(spec.joint_names), 7 * len(spec.object_names), len(spec.action_names)
        )

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """L1 over actions within the episode, KL divergence of the latent variable, and their weighted sum."""
        seen = batch.observation
        actions = self.actions(batch.actions)  # (B, K, A)
        made = self.model(self.qpos(seen.qpos), self.objects(seen.objects), seen.images, (actions, batch.is_pad))
        terms = {"l1": masked_l1(made.actions, actions, batch.is_pad), "kl": kl_divergence(made.mean, made.log_variance)}
        loss = terms["l1"] + self.config.kl_weight * terms["kl"]
        if made.padding is not None:
            terms["padding"] = F.binary_cross_entropy_with_logits(made.padding, batch.is_pad.float())
            loss = loss + self.config.padding_weight * terms["padding"]
        return {"loss": loss, **terms}

    @torch.no_grad()
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A); the latent variable is zero."""
        made = self.model(self.qpos(observation.qpos), self.objects(observation.objects), observation.images)
        return self.actions.inverse(made.actions)

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Those of ResNet-18."""
        return [] if self.model.cameras is None else list(self.model.cameras.backbone.parameters())


def masked_l1(predicted: Tensor, actions: Tensor, is_pad: Tensor) -> Tensor:
    """Mean absolute difference (B, K, A) over the rows that are not padding (B, K)."""
    valid = ~is_pad[..., None]  # (B, K, 1)
    count = valid.sum().clamp(min=1) * actions.shape[-1]
    return ((predicted - actions).abs() * valid).sum() / count


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Of N(mean, variance) from N(0, 1): summed over latent dimensions, averaged over the batch (B, latent)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(-1).mean()
