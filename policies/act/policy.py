"""ACT as a policy: its inputs, normalisation around the network, and its losses."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import NoImagesError, UsageError
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.model import ActModel
from ambidex.policies.act.transformer import DecoderLayer, EncoderLayer
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Normalization, Statistics
from ambidex.policies.policy import Policy, never_compiled
from ambidex.policies.vision.resnet_weights import load_resnet_weights, missing_resnet_weights
from ambidex.text import first_few


class ActPolicy(Policy):
    """Action Chunking with Transformers."""

    name = "act"
    config_type: ClassVar[type[ActConfig]] = ActConfig

    def __init__(self, config: ActConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        cameras = cameras_of(config, spec)
        self.config = config
        self.spec = spec
        self.instructions = config.instructions
        self.inputs = PolicyInputs(cameras=cameras, objects=not cameras, instruction=bool(config.instructions))
        self.chunk_size = config.chunk_size
        self.qpos = Normalization(statistics.qpos)
        self.objects = None if cameras else Normalization(statistics.objects)
        self.actions = Normalization(statistics.actions)
        sizes = len(spec.joint_names), 7 * len(spec.object_names), len(spec.action_names)
        self.model = ActModel(config, cameras, *sizes)

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """L1 over actions within the episode, KL divergence of the latent variable, and their weighted sum."""
        actions = self.actions(batch.actions)  # (B, K, A)
        latent = self.model.cvae(self.qpos(batch.observation.qpos), actions, batch.is_pad)  # (B, latent), a Gaussian
        predicted, padding = self._run(latent.sample(), batch.observation)
        terms = {"l1": masked_l1(predicted, actions, batch.is_pad), "kl": latent.divergence()}
        loss = terms["l1"] + self.config.kl_weight * terms["kl"]
        if padding is not None:
            terms["padding"] = F.binary_cross_entropy_with_logits(padding, batch.is_pad.float())
            loss = loss + self.config.padding_weight * terms["padding"]
        return {"loss": loss, **terms}

    @torch.no_grad()
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A), for a latent variable of zero."""
        latent = observation.qpos.new_zeros(len(observation), self.config.latent)
        return self.actions.inverse(self._run(latent, observation)[0])

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Those of ResNet-18."""
        return [] if self.model.cameras is None else list(self.model.cameras.backbone.parameters())

    def layer_classes(self) -> tuple[type[nn.Module], ...]:
        return (EncoderLayer, DecoderLayer)

    @classmethod
    def check_weight_files(cls, config: ActConfig) -> None:
        """See `Policy`; for ResNet-18."""
        missing = missing_resnet_weights(config.backbone_width, config.backbone_norm, config.backbone_weights)
        if missing and config.observations == "images":
            raise missing

    def load_pretrained(self) -> str:
        """ImageNet weights for ResNet-18, as `backbone_weights` of the config says."""
        if self.model.cameras is None:
            return ""
        return load_resnet_weights(self.model.cameras.backbone, self.config.backbone_weights)

    def _run(self, latent: Tensor, observation: ObservationBatch) -> tuple[Tensor, Tensor | None]:
        objects = None if self.objects is None else self.objects(observation.objects)  # (B, O)
        task = self._task_indices(observation.instructions, latent.device) if self.instructions else None  # (B,)
        return self.model(latent, self.qpos(observation.qpos), objects, observation.images, task)  # type: ignore[no-any-return]

    @never_compiled  # it would compile the loss for every mixture of tasks
    def _task_indices(self, instructions: Sequence[str], device: torch.device) -> Tensor:
        """Indices of instructions, shape (B,) int64; raises UsageError for an unknown one."""
        known = self.instructions
        unknown = [instruction for instruction in instructions if instruction not in known]
        if unknown:
            problem = f"The policy was trained on {len(known)} tasks, and {unknown[0]!r} is none of them."
            hint = f"Use one of these, or train with that task: {first_few(known, limit=5)}."
            raise UsageError(problem, hint, got=unknown[0], expected=known)
        return torch.tensor([known.index(instruction) for instruction in instructions], device=device)


def cameras_of(config: ActConfig, spec: EnvSpec) -> tuple[str, ...]:
    """Cameras used as inputs; empty for state observations.

    Raises:
        NoImagesError: The data has no images.
        UsageError: The data lacks one of the cameras.
    """
    if config.observations == "state":
        return ()
    if not spec.cameras:
        hint = "Train on object poses with --observations state, or on images."
        raise NoImagesError(f"ACT uses images, but the data of {spec.task} has none.", hint, field="cameras")
    if any(camera not in spec.cameras for camera in config.cameras):
        wanted, available = ", ".join(config.cameras), ", ".join(spec.cameras)
        problem = f"ACT with images of {wanted}: the data of {spec.task} has images of {available}."
        hint = "Choose from those, render others with render-episodes --cameras, or use --observations state."
        raise UsageError(problem, hint, field="cameras", got=config.cameras, expected=spec.cameras)
    return config.cameras or spec.cameras


def masked_l1(predicted: Tensor, actions: Tensor, is_pad: Tensor) -> Tensor:
    """Mean absolute difference (B, K, A) over the rows that are not padding (B, K)."""
    valid = ~is_pad[..., None]  # (B, K, 1)
    count = valid.sum().clamp(min=1) * actions.shape[-1]
    return ((predicted - actions).abs() * valid).sum() / count
