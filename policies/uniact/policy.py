"""UniAct as a policy: its inputs for each embodiment, its losses, predictions with codes, and adaptation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.act.transformer import DecoderLayer, EncoderLayer
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.multi_embodiment import MultiEmbodimentPolicy, instructions_of, used_cameras
from ambidex.policies.normalization import Statistics
from ambidex.policies.policy import CodedPolicy
from ambidex.policies.uniact.code_statistics import code_metrics
from ambidex.policies.uniact.codebook import Mode, Selection
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractors.extractor import Extractor
from ambidex.policies.uniact.extractors.llava import LlavaExtractor, missing_weights
from ambidex.policies.uniact.extractors.scratch import ScratchExtractor
from ambidex.policies.uniact.losses import batch_mean, masked_huber
from ambidex.policies.uniact.model import Domain, UniActModel
from ambidex.policies.vision.resnet_weights import load_resnet_weights, missing_resnet_weights
from ambidex.policies.vision_language.scratch import CausalLayer

BLIND_DELTA = 1.0  # predictions from the code alone are coarse: their errors should stay in the quadratic part


@dataclass(frozen=True, kw_only=True)
class CameraSelection:
    """The cameras that UniAct uses with an embodiment: those of the interpreter, and the main one of the extractor."""

    interpreter: tuple[str, ...]
    main: str

    @property
    def inputs(self) -> PolicyInputs:
        """All inputs of the policy."""
        cameras = tuple(dict.fromkeys((*self.interpreter, self.main)))
        return PolicyInputs(cameras=cameras, objects=False, instruction=True)


class UniActPolicy(CodedPolicy, MultiEmbodimentPolicy):
    """Universal actions: one codebook for all embodiments, an interpreter for each.

    Attributes:
        code: Makes all chunks if it is set; None to choose codes by observation.
    """

    name = "uniact"
    config_type: ClassVar[type[UniActConfig]] = UniActConfig
    format_version: ClassVar[int] = 2  # 1: another decoder, and positions of rows and columns
    title = "UniAct"
    shared_parts = "the extractor, codebook and image encoder"
    own_parts = "interpreters"
    layers_prefix = "model.domains."
    shared_settings = frozenset("extractor scratch llava codes code_width".split())
    config: UniActConfig

    def __init__(self, config: UniActConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        self.config = config
        self.chunk_size = config.chunk_size
        self.code: int | None = None
        self._shared_is_frozen = False
        self._cameras: dict[str, CameraSelection] = {}
        select_cameras(config, spec)  # raises before anything large is built
        self.model = UniActModel(config, _make_extractor(config, instructions_of(spec)))
        self._add(spec, statistics)
        self.use_embodiment(embodiment_of(spec))

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Huber's loss of the actions, the blind loss, divergence and information of the codes, and their weighted sum.

        In training mode codes are drawn, else they are the most likely ones. Temperature and perplexity are for the log
        only.
        """
        observation, embodiment = batch.observation, self.embodiment_in(batch.observation)
        draw = self.training and not self._shared_is_frozen
        selection = self._select(observation, "gumbel" if draw else "argmax")
        predicted = self.model.interpret(embodiment, selection.actions, observation.qpos, observation.images)
        domain = self.model.domain(embodiment)
        actions = domain.actions(batch.actions)  # (B, K, A), as `predicted`
        terms = {
            "huber": masked_huber(predicted, actions, batch.is_pad, self.config.huber_delta),
            "blind": self._blind_loss(domain, selection, actions, batch.is_pad),
        }
        if not self._shared_is_frozen:
            terms |= {"divergence": selection.divergence, "information": selection.information}
        used = F.one_hot(selection.codes, self.config.codes).float()  # (B, N)
        shares = batch_mean(used, all_ranks=self.training)  # (N,)
        return {
            "loss": self._weighted_sum(terms),
            **terms,
            "temperature": self.model.codebook.temperature(),
            "perplexity": torch.special.entr(shares).sum().exp(),
        }

    @torch.no_grad()
    def predict_with_codes(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """The next K actions in the environment's units, shape (B, K, A), and their codes, shape (B,) int64.

        Codes are the most likely ones, or `code`.
        """
        universal, codes = self._universal_actions(observation)
        embodiment = self.embodiment_in(observation)
        predicted = self.model.interpret(embodiment, universal, observation.qpos, observation.images)
        return self.model.domain(embodiment).actions.inverse(predicted), codes

    def fix_code(self, code: int) -> None:
        self.model.codebook.check_code(code)
        self.code = code

    # Training.

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Parameters that may start from published weights: ResNet-18's and LLaVA-OneVision's."""
        extractor = self.model.extractor.parameters() if self.config.extractor == "llava_ov" else ()
        return [*self.model.cameras.backbone.parameters(), *extractor]

    def layer_classes(self) -> tuple[type[nn.Module], ...]:
        return (EncoderLayer, DecoderLayer, CausalLayer)

    def on_step_end(self) -> None:
        """See `Policy`; lowers the temperature, if codes are trained."""
        if not self._shared_is_frozen:
            self.model.codebook.temperature.advance()

    def schedule_warnings(self, steps: int) -> Sequence[str]:
        """See `Policy`; of the temperature, if codes are trained."""
        temperature = self.model.codebook.temperature
        left, shorter = int(temperature.steps - temperature.step), f"--temperature-steps {max(1, 3 * steps // 4)}"
        if self._shared_is_frozen or left <= steps:
            return ()
        if temperature.step:  # continued from a checkpoint
            return (f"The temperature has {left} steps left to fall, this run has {steps}: {shorter} restarts it.",)
        return (f"The temperature falls over {left} steps, and this run has {steps}: {shorter}.",)

    def validation_metrics(self, batches: Iterable[ObservationBatch]) -> Mapping[str, float]:
        """Use of codes, see `code_metrics`."""
        groups: dict[str, dict[str, list[int]]] = {}
        for batch in batches:
            tasks = groups.setdefault(self.embodiment_in(batch), {})
            for instruction, code in zip(batch.instructions, self._universal_actions(batch)[1].tolist(), strict=True):
                tasks.setdefault(instruction, []).append(code)
        codes = {
            name: {task: np.array(chosen, np.int64) for task, chosen in tasks.items()} for name, tasks in groups.items()
        }
        return {f"codes/{name}": value for name, value in code_metrics(codes, self.config.codes).items()}

    # Initial weights and files.

    @classmethod
    def check_weight_files(cls, config: UniActConfig) -> None:
        """See `Policy`; for ResNet-18 and LLaVA-OneVision."""
        resnet = missing_resnet_weights(config.backbone_width, config.backbone_norm, config.backbone_weights)
        extractor = missing_weights(config.extractor_weights) if config.extractor == "llava_ov" else None
        missing = [error for error in (resnet, extractor) if error]
        if missing:
            raise UsageError(" ".join(map(str, missing)), fields=tuple(error.facts.get("field") for error in missing))

    def load_pretrained(self) -> str:
        """Weights of ResNet-18 and of the extractor, as the config says."""
        source = load_resnet_weights(self.model.cameras.backbone, self.config.backbone_weights)
        return " ".join(filter(None, (source, self.model.extractor.load_pretrained())))

    def copy_shared(self, other: Self) -> None:
        self.model.copy_shared(other.model)

    def freeze_shared(self) -> None:
        """See `Policy`; the extractor and the codebook."""
        self._shared_is_frozen = True
        for module in (self.model.extractor, self.model.codebook):
            module.requires_grad_(False)

    @torch.no_grad()
    def cacheable_features(self, observation: ObservationBatch) -> Tensor | None:
        """See `Policy`; the codes, shape (B,) int64."""
        return self._select(observation, "argmax").codes if self._shared_is_frozen else None

    # Several embodiments.

    @property
    def text_model(self) -> Extractor:
        return self.model.extractor

    def layers(self, embodiment: str) -> Domain:
        return self.model.domain(embodiment)

    def add_layers(self, embodiment: str, spec: EnvSpec, statistics: Statistics) -> PolicyInputs:
        cameras = self._cameras[embodiment] = select_cameras(self.config, spec)
        self.model.add_domain(embodiment, spec, statistics, cameras.interpreter)
        return cameras.inputs

    def _select(self, observation: ObservationBatch, mode: Mode) -> Selection:
        if observation.cached_features is not None:
            return self.model.codebook.lookup(observation.cached_features)
        main = self._cameras[self.embodiment_in(observation)].main
        return self.model.choose(observation.images[main], observation.instructions, mode)

    def _universal_actions(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """Universal actions (B, W) and their codes (B,)."""
        if self.code is not None:
            codes = torch.full((len(observation),), self.code, device=observation.qpos.device)
            return self.model.codebook.fixed_code(self.code, len(observation)), codes
        selection = self._select(observation, "argmax")
        return selection.actions, selection.codes

    def _blind_loss(self, domain: Domain, selection: Selection, actions: Tensor, is_pad: Tensor) -> Tensor:
        """Huber's loss of actions predicted from universal actions alone; 0 without a blind interpreter."""
        if domain.blind is None:
            return selection.divergence.new_zeros(())
        return masked_huber(domain.blind(selection.actions), actions, is_pad, BLIND_DELTA)

    def _weighted_sum(self, terms: Mapping[str, Tensor]) -> Tensor:
        config = self.config
        loss = terms["huber"] + config.blind_weight * terms["blind"]
        if self._shared_is_frozen:
            return loss
        return loss + (config.uniform_weight * terms["divergence"] - config.information_weight * terms["information"])


def _make_extractor(config: UniActConfig, instructions: Sequence[str]) -> Extractor:
    if config.extractor == "scratch":
        return ScratchExtractor(config.scratch, instructions)
    return LlavaExtractor(config.llava, instructions, config.extractor_weights, config.attention)


def select_cameras(config: UniActConfig, spec: EnvSpec) -> CameraSelection:
    """The cameras of the config that an embodiment's data has; all of the data if the config names none.

    Raises:
        NoImagesError: The data has no images.
        UsageError: The data has none of the cameras, or not the main camera.
    """
    cameras = used_cameras(UniActPolicy.title, config.cameras, spec)
    if config.main_camera and config.main_camera not in spec.cameras:
        available = ", ".join(spec.cameras)
        problem = (
            f"--main-camera {config.main_camera} (flags or base checkpoint): the data of {spec.task} has {available}."
        )
        hint = f"Give --main-camera {cameras[0]}, or --main-camera '' for the first camera of each embodiment."
        raise UsageError(problem, hint, field="main_camera", got=config.main_camera, expected=spec.cameras)
    return CameraSelection(interpreter=cameras, main=config.main_camera or cameras[0])
