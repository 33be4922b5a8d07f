"""ACT as a policy: normalisation around the network, and its losses."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import NoImagesError, UsageError
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.model import ActModel, Prediction
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Normalization, Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.vision.resnet_weights import load_resnet_weights, missing_resnet_weights


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
        cameras = cameras_of(config, spec)
        self.config = config
        self.spec = spec
        self.instructions = config.instructions
        self.inputs = PolicyInputs(cameras=cameras, objects=not cameras, instruction=bool(config.instructions))
        self._tasks = TaskIndex(config.instructions) if config.instructions else None
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
        made = self._run(latent.sample(), batch.observation)
        terms = {"l1": masked_l1(made.actions, actions, batch.is_pad), "kl": latent.divergence()}
        loss = terms["l1"] + self.config.kl_weight * terms["kl"]
        if made.padding is not None:
            terms["padding"] = F.binary_cross_entropy_with_logits(made.padding, batch.is_pad.float())
            loss = loss + self.config.padding_weight * terms["padding"]
        return {"loss": loss, **terms}

    @torch.no_grad()
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A), for a latent variable of zero."""
        latent = observation.qpos.new_zeros(len(observation), self.config.latent)
        return self.actions.inverse(self._run(latent, observation).actions)

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Those of ResNet-18."""
        return [] if self.model.cameras is None else list(self.model.cameras.backbone.parameters())

    @classmethod
    def check_weight_files(cls, config: ActConfig) -> None:
        """See `Policy`; of ResNet-18."""
        missing = missing_resnet_weights(config.backbone_width, config.backbone_norm, config.backbone_weights)
        if missing and config.observations == "images":
            raise UsageError(missing)

    def load_pretrained(self) -> str:
        """ImageNet weights into ResNet-18, as `backbone_weights` of the configuration says."""
        if self.model.cameras is None:
            return ""
        return load_resnet_weights(self.model.cameras.backbone, self.config.backbone_weights)

    def _run(self, latent: Tensor, seen: ObservationBatch) -> Prediction:
        objects = None if self.objects is None else self.objects(seen.objects)  # (B, O)
        task = None if self._tasks is None else self._tasks(seen.instructions, latent.device)  # (B,)
        return self.model(latent, self.qpos(seen.qpos), objects, seen.images, task)  # type: ignore[no-any-return]


def cameras_of(config: ActConfig, spec: EnvSpec) -> tuple[str, ...]:
    """The cameras ACT looks at, empty if at none.

    Raises:
        NoImagesError: The data have no images.
        UsageError: They have none of these cameras.
    """
    if config.observations == "state":
        return ()
    if not spec.cameras:
        raise NoImagesError(
            f"ACT looks at images, and the data of {spec.task} have none. Train on object poses with --observations "
            "state, or on images."
        )
    if any(camera not in spec.cameras for camera in config.cameras):
        raise UsageError(
            f"ACT with images of {', '.join(config.cameras)}: the data of {spec.task} have images of "
            f"{', '.join(spec.cameras)}. Choose among those, render the episodes again with "
            "render-episodes --cameras, or train on object poses with observations 'state'."
        )
    return config.cameras or spec.cameras


def masked_l1(predicted: Tensor, actions: Tensor, is_pad: Tensor) -> Tensor:
    """Mean absolute difference (B, K, A) over the rows that are not padding (B, K)."""
    valid = ~is_pad[..., None]  # (B, K, 1)
    count = valid.sum().clamp(min=1) * actions.shape[-1]
    return ((predicted - actions).abs() * valid).sum() / count


# FOLDED policies.act.task_index: Which of the tasks it was trained on an instruction means.

SHOWN = 5


class TaskIndex:
    """Instruction -> index.

    Args:
        instructions: Those of the training data, in the order of their indices.
    """

    def __init__(self, instructions: Sequence[str]) -> None:
        self._indices = {instruction: index for index, instruction in enumerate(instructions)}

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # it would compile the loss anew for every mixture of tasks in a batch
    def __call__(self, instructions: Sequence[str], device: torch.device) -> Tensor:
        """The indices of instructions, shape (B,) int64.

        Raises:
            UsageError: One that it was not trained on; the message names some that it was.
        """
        unknown = [instruction for instruction in instructions if instruction not in self._indices]
        if unknown:
            known = list(self._indices)
            more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
            raise UsageError(
                f"The policy was trained on {len(known)} tasks, and {unknown[0]!r} is none of them. It knows: "
                f"{'; '.join(known[:SHOWN])}{more}. Give one of these, or train with that task."
            )
        return torch.tensor([self._indices[instruction] for instruction in instructions], device=device)
