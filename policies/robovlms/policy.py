"""RoboVLMs as a policy: a backbone in a structure, the layers of each embodiment, windows and losses."""

import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.multi_embodiment import MultiEmbodimentPolicy, instructions_of, used_cameras
from ambidex.policies.normalization import Statistics
from ambidex.policies.policy import Policy, never_compiled
from ambidex.policies.robovlms.backbones.backbone import Backbone
from ambidex.policies.robovlms.backbones.registry import backbone_class, make_backbone
from ambidex.policies.robovlms.config import RoboVlmsConfig
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.structures.registry import make_structure
from ambidex.policies.robovlms.windows import without_history, without_proprioception
from ambidex.policies.training.large_models.lora import merged_state, without_lora
from ambidex.policies.training.large_models.towers import choose_trained
from ambidex.text import pluralize

SCRATCH, NONE = "scratch", "none"
WORDS_VALIDATED = 32  # samples; each prediction takes K * A passes


class RoboVlmsPolicy(MultiEmbodimentPolicy):
    """A vision-language model as a policy, for one embodiment or several.

    Source: Li et al., "Towards Generalist Robot Policies: What Matters in Building Vision-Language-Action Models",
    2024; docs/policies.md lists the differences and their reasons.
    """

    name = "robovlms"
    config_type: ClassVar[type[RoboVlmsConfig]] = RoboVlmsConfig
    title = "RoboVLMs"
    shared_parts = "the backbone and the head"
    own_parts = "layers"
    layers_prefix = "embodiments."
    shared_settings = frozenset("backbone backbone_size bins head_width head_layers head_heads".split())
    own_settings = frozenset({"chunk_size", "binary_gripper"})
    config: RoboVlmsConfig

    def __init__(self, config: RoboVlmsConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        self.config = config
        self.chunk_size = config.chunk_size
        if config.chosen_head == "discrete":
            self.validation_samples = WORDS_VALIDATED
        used_cameras(self.title, config.cameras, spec)  # raises before anything large is built
        backbone = make_backbone(
            config.backbone,
            config.backbone_size,
            instructions_of(spec),
            attention=config.attention,
            discrete=config.chosen_head == "discrete",
        )
        choose_trained(backbone, config)
        self.structure = make_structure(config, backbone)
        self.embodiments = nn.ModuleDict()
        self._add(spec, statistics)
        self._check_lengths(with_prompts=_keeps_tokenizer(config))
        self.use_embodiment(embodiment_of(spec))

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """The loss terms of the structure's head; every valid observation of a window counts, with its chunk."""
        embodiment = self._embodiment_of(batch.observation)
        window = _with_window(batch.observation)
        actions, is_pad = (
            (batch.actions, batch.is_pad) if batch.is_pad.ndim == 3 else (batch.actions[:, None], batch.is_pad[:, None])
        )
        if self.training and self.config.history_dropout and window.valid is not None:
            kept = without_history(window.valid, self.config.history_dropout)  # (B, H)
            window, is_pad = replace(window, valid=kept), is_pad | ~kept[..., None]
        if self.training and (share := self.config.proprioception_dropout):
            window = replace(window, qpos=without_proprioception(window.qpos, embodiment.qpos.mean, share))
        return self.structure.losses(window, embodiment, embodiment.actions(actions), ~is_pad)

    @torch.no_grad()
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A).

        Flow matching starts from noise that is a function of the newest joint positions and the instruction, so a
        request gets the same answer each time, whatever else is in the batch.
        """
        embodiment, window = self._embodiment_of(observation), _with_window(observation)
        flow = self.config.chosen_head == "flow"
        noise = _noise(window, self.chunk_size, len(embodiment.actions.grippers)) if flow else None
        return embodiment.actions.inverse(self.structure.predict(window, embodiment, noise))

    @torch.no_grad()
    def encode_frames(self, observation: ObservationBatch) -> Tensor | None:
        """See `Policy`; the hidden states of the learned tokens with a policy head, shape (N, D)."""
        return self.structure.encode_frames(observation, self._embodiment_of(observation))

    # Training.

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Those of the vision-language model."""
        return list(self.structure.backbone.parameters())

    def layer_classes(self) -> tuple[type[nn.Module], ...]:
        """Those of the vision-language model."""
        return self.structure.backbone.layer_classes

    # Initial weights and files.

    @classmethod
    def check_weight_files(cls, config: RoboVlmsConfig) -> None:
        """See `Policy`; for the backbone."""
        weights, scratch = config.backbone_weights, config.backbone == SCRATCH
        if weights == NONE or (scratch and not weights):
            return
        if not (scratch or (weights and Path(weights).is_dir())):
            reason = f" {weights}: there is no such folder." if weights else " is not given."
            hint = f"Name a folder with the published weights of {config.backbone}, or none to train from scratch."
            raise UsageError(f"--backbone-weights{reason}", hint, field="backbone_weights", got=weights)
        backbone_class(config.backbone).check_folder(Path(weights))

    def load_pretrained(self) -> str:
        """Weights of the backbone, as the config says."""
        if _keeps_tokenizer(self.config):
            source = f"Weights of the backbone {self.config.backbone} (size {self.config.backbone_size}) are random."
            config = self.config
            frozen = config.freeze_backbone or config.lora_rank or config.train_decoder_layers
            frozen = frozen or not (config.train_vision and config.train_text_embedding)
            return f"{source} Some of them are frozen, and stay random." if frozen else source
        with without_lora(self.structure.backbone):
            source = self.structure.backbone.load_pretrained(Path(self.config.backbone_weights))
        self._check_lengths(with_prompts=True)
        return source

    def init_from(self, other: Policy, *, fresh: bool = False) -> str:
        source = super().init_from(other, fresh=fresh)
        self._check_lengths(with_prompts=True)
        return source

    def copy_shared(self, other: Self) -> None:
        """Copy the backbone and the structure. LoRA that differs from this policy's is added to the weights."""
        own, theirs = ((each.config.lora_rank, each.config.lora_alpha) for each in (self, other))
        with nullcontext() if own == theirs else without_lora(self.structure):
            state = other.structure.state_dict() if own == theirs else merged_state(other.structure)
            self.structure.load_state_dict(state)

    def freeze_shared(self) -> None:
        """See `Policy`; the backbone, its learned token and the part of the head that relates observations."""
        self.structure.requires_grad_(False)

    def cacheable_features(self, observation: ObservationBatch) -> Tensor | None:
        """See `Policy`; those of `encode_frames`, if all weights on which they depend are frozen."""
        trained = any(parameter.requires_grad for parameter in self.structure.parameters())
        return None if trained or self.config.proprioception else self.encode_frames(observation)

    # Several embodiments.

    @property
    def text_model(self) -> Backbone:
        return self.structure.backbone

    def layers(self, embodiment: str) -> Embodiment:
        found = self.embodiments[embodiment]
        assert isinstance(found, Embodiment)
        return found

    def add_layers(self, embodiment: str, spec: EnvSpec, statistics: Statistics) -> PolicyInputs:
        config, cameras = self.config, used_cameras(self.title, self.config.cameras, spec)
        hidden_size = self.structure.backbone.hidden_size
        self.embodiments[embodiment] = Embodiment(config, spec, statistics, cameras, hidden_size)
        history, stride = config.history, config.stride
        return PolicyInputs(cameras=cameras, objects=False, instruction=True, history=history, stride=stride)

    def add_embodiment(self, spec: EnvSpec, statistics: Statistics) -> None:
        super().add_embodiment(spec, statistics)
        self._check_lengths(with_prompts=_keeps_tokenizer(self.config))

    def _check_lengths(self, *, with_prompts: bool) -> None:
        """Check that the longest sequence of each embodiment fits into the backbone's context, and words into its ids.

        Args:
            with_prompts: Count prompts and words. They are not known before a published tokenizer is loaded.

        Raises:
            UsageError: One does not fit.
        """
        backbone, config = self.structure.backbone, self.config
        if with_prompts and config.chosen_head == "discrete":
            backbone.action_ids(config.bins)
        for name, spec in self._specs.items():
            views = len(spec.cameras)
            prompt = backbone.longest_prompt(views) if with_prompts else views * backbone.image_tokens
            words = config.chunk_size * len(spec.action_names)
            length = self.structure.sequence_length(prompt + config.proprioception, config.history, words)
            what = f"a sequence of {name} with {pluralize(views, 'camera')} and a history of {config.history}"
            backbone.check_length(length, what)

    def _embodiment_of(self, observation: ObservationBatch) -> Embodiment:
        return self.layers(self.embodiment_in(observation))


def _keeps_tokenizer(config: RoboVlmsConfig) -> bool:
    """Whether there are no published weights, whose tokenizer would replace the one trained on the instructions."""
    return config.backbone == SCRATCH or config.backbone_weights == NONE


def _with_window(observation: ObservationBatch) -> ObservationBatch:
    """Observations with a window after the batch dimension, which those of a history of 1 do not have."""
    if observation.valid is not None:
        return observation
    return replace(
        observation,
        qpos=observation.qpos[:, None],
        objects=observation.objects[:, None],
        images={camera: images[:, None] for camera, images in observation.images.items()},
        cached_features=None if observation.cached_features is None else observation.cached_features[:, None],
    )


@never_compiled  # bytes are hashed in Python
def _noise(window: ObservationBatch, chunk: int, actions: int) -> Tensor:
    """Gaussian noise (B, K, A), each row a function of the newest joint positions and the instruction alone."""
    rows = []
    for qpos, instruction in zip(window.qpos[:, -1].cpu(), window.instructions, strict=True):
        digest = hashlib.sha256(qpos.numpy().tobytes() + instruction.encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little"))
        rows.append(torch.randn(chunk, actions, generator=generator))
    return torch.stack(rows).to(window.qpos.device)
