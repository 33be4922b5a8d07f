"""UniAct as a policy: what it looks at, its losses, and what it is asked for in use."""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.envs.errors import UsageError
from ambidex.envs.types import EnvSpec
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.coded_policy import CodedPolicy
from ambidex.policies.policy_inputs import PolicyInputs
from ambidex.policies.statistics import Statistics
from ambidex.policies.training_data.merged_spec import BETWEEN
from ambidex.policies.uniact.codebook import Mode
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.domain import domain_name
from ambidex.policies.uniact.extractor.make_extractor import make_extractor
from ambidex.policies.uniact.masked_huber import masked_huber
from ambidex.policies.uniact.model import UniActModel
from ambidex.policies.vision.resnet_weights import load_resnet_weights

TOKENIZER = "tokenizer.json"


class UniActPolicy(CodedPolicy):
    """Universal actions: one codebook for all robots, an interpreter for each.

    Args:
        config: Sizes and weights.
        spec: Spec of the environment of the training data.
        statistics: Of the training data.

    Attributes:
        code: The code that is played whatever is seen and asked; None to choose.
    """

    name = "uniact"
    config_type: ClassVar[type[UniActConfig]] = UniActConfig

    def __init__(self, config: UniActConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        cameras, self._main = cameras_of(config, spec)
        self.config, self.spec = config, spec
        self.chunk_size = config.chunk_size
        seen = tuple(dict.fromkeys((*cameras, self._main)))
        self.inputs = PolicyInputs(cameras=seen, objects=False, instruction=True)
        self.code: int | None = None
        self.domain = domain_name(spec)
        self.model = UniActModel(config, make_extractor(config, spec.instruction.split(BETWEEN)))
        self.model.add_domain(self.domain, spec, statistics, cameras)

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Huber's loss of actions within the episode, the codes' divergence from uniform use, and their weighted sum.

        In training mode codes are drawn, and the temperature falls; else they are the likeliest. To look at: the
        temperature, and how many codes the batch uses, as it were.
        """
        seen = batch.observation
        mode: Mode = "gumbel" if self.training else "argmax"
        chosen = self.model.choose(seen.images[self._main], seen.instructions, mode)
        made = self.model.interpret(self.domain, chosen.actions, seen.qpos, seen.images)  # (B, K, A)
        actions = self.model.domain(self.domain).actions(batch.actions)
        terms = {
            "huber": masked_huber(made, actions, batch.is_pad, self.config.huber_delta),
            "divergence": chosen.divergence,
        }
        codes = F.one_hot(chosen.codes, self.config.codes).float().mean(0)  # (N,)
        temperature = self.model.codebook.temperature().clone()
        if self.training and torch.is_grad_enabled():
            self.model.codebook.temperature.advance()
        loss = terms["huber"] + self.config.uniform_weight * terms["divergence"]
        return {"loss": loss, **terms, "temperature": temperature, "perplexity": torch.special.entr(codes).sum().exp()}

    @torch.no_grad()
    def predict_with_codes(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """The next K actions in the environment's units, shape (B, K, A), and their codes, shape (B,) int64.

        Codes are the likeliest, or `code`.
        """
        universal, codes = self._universal(observation)
        made = self.model.interpret(self.domain, universal, observation.qpos, observation.images)
        return self.model.domain(self.domain).actions.inverse(made), codes

    def play_code(self, code: int) -> None:
        """See `CodedPolicy`."""
        self.model.codebook.check(code)
        self.code = code

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Those that may begin with published weights: ResNet-18's, and LLaVA-OneVision's."""
        extractor = self.model.extractor.parameters() if self.config.extractor == "llava_ov" else ()
        return [*self.model.cameras.backbone.parameters(), *extractor]

    def load_pretrained(self) -> str:
        """Weights into ResNet-18 and the extractor, as the configuration says."""
        said = load_resnet_weights(self.model.cameras.backbone, self.config.backbone_weights)
        return " ".join(filter(None, (said, self.model.extractor.load_pretrained())))

    def texts(self) -> Mapping[str, str]:
        """The tokenizer."""
        return {TOKENIZER: self.model.extractor.tokenizer.to_json()}

    def read_texts(self, texts: Mapping[str, str]) -> None:
        """See `Policy`."""
        self.model.extractor.read_tokenizer(texts[TOKENIZER])

    def _universal(self, seen: ObservationBatch) -> tuple[Tensor, Tensor]:
        """Universal actions (B, W) and their codes (B,)."""
        if self.code is not None:
            codes = torch.full((len(seen),), self.code, device=seen.qpos.device)
            return self.model.codebook.fixed_code(self.code, len(seen)), codes
        chosen = self.model.choose(seen.images[self._main], seen.instructions, "argmax")
        return chosen.actions, chosen.codes


def cameras_of(config: UniActConfig, spec: EnvSpec) -> tuple[tuple[str, ...], str]:
    """The cameras of the interpreter, and the one of the extractor.

    Raises:
        UsageError: The data have no images, or not of these cameras.
    """
    wanted = (*config.cameras, *([config.main_camera] if config.main_camera else []))
    missing = [camera for camera in wanted if camera not in spec.cameras]
    if missing or not spec.cameras:
        raise UsageError(
            f"UniAct needs images of {', '.join(missing) or 'a camera'}: the data of {spec.task} have images of "
            f"{', '.join(spec.cameras) or 'no camera'}. Choose among those with --cameras and --main-camera, or render "
            "the episodes again with render-episodes --cameras."
        )
    cameras = config.cameras or spec.cameras
    return cameras, config.main_camera or cameras[0]
