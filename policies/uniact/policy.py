"""UniAct as a policy: what it looks at, its losses, and what it is asked for in use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import NoImagesError, UnknownNameError, UsageError
from ambidex.flags import changed_flags
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.dataset import INSTRUCTION_SEPARATOR
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Statistics
from ambidex.policies.policy import CodedPolicy, Policy
from ambidex.policies.uniact.code_usage import code_metrics
from ambidex.policies.uniact.codebook import Mode, Selection
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractor.registry import make_extractor, missing_extractor_weights
from ambidex.policies.uniact.losses import batch_mean, masked_huber
from ambidex.policies.uniact.model import Domain, UniActModel
from ambidex.policies.vision.resnet_weights import load_resnet_weights, missing_resnet_weights

TOKENIZER = "tokenizer.json"
DOMAINS = "model.domains."
BLIND_DELTA = 1.0  # its errors are those of a coarse guess: a line would count the coarsest too little


class UniActPolicy(CodedPolicy):
    """Universal actions: one codebook for all robots, an interpreter for each.

    A robot is an embodiment as `embodiment` names it.

    Args:
        config: Sizes and weights.
        spec: Spec of the environment of the training data.
        statistics: Of the training data.

    Attributes:
        code: The code that is played whatever is seen and asked; None to choose.
        domain: The robot that it acts with.
    """

    name = "uniact"
    config_type: ClassVar[type[UniActConfig]] = UniActConfig
    multi_embodiment: ClassVar[bool] = True

    def __init__(self, config: UniActConfig, spec: EnvSpec, statistics: Statistics) -> None:
        super().__init__()
        self.config = config
        self.chunk_size = config.chunk_size
        self.code: int | None = None
        self._kept = False
        self._specs: dict[str, EnvSpec] = {}
        self._views: dict[str, RobotView] = {}
        view_of(config, spec)  # refuses data before there is anything large
        self.model = UniActModel(config, make_extractor(config, spec.instruction.split(INSTRUCTION_SEPARATOR)))
        self._add(spec, statistics)
        self.use_embodiment(embodiment_of(spec))

    @property
    def specs(self) -> tuple[EnvSpec, ...]:
        """See `Policy`."""
        return tuple(self._specs.values())

    def inputs_for(self, robot: str) -> PolicyInputs:
        """See `Policy`."""
        return self._views[robot].inputs

    @classmethod
    def embodiments_in(cls, tensors: Collection[str]) -> tuple[str, ...]:
        """See `Policy`; each has a domain."""
        domains = (name.removeprefix(DOMAINS) for name in tensors if name.startswith(DOMAINS))
        return tuple(dict.fromkeys(name.partition(".")[0] for name in domains))

    def add_embodiment(self, spec: EnvSpec, statistics: Statistics) -> None:
        """See `Policy`; a tokenizer of our own learns the words of all robots anew."""
        if embodiment_of(spec) in self._specs:
            raise UsageError(f"This policy acts with {embodiment_of(spec)} already. Train on all its data at once.")
        self._add(spec, statistics)
        self.model.extractor.learn(
            [text for known in self.specs for text in known.instruction.split(INSTRUCTION_SEPARATOR)]
        )

    def use_embodiment(self, robot: str) -> None:
        """See `Policy`."""
        if robot not in self._specs:
            raise UnknownNameError("robot of this policy", robot, tuple(self._specs))
        self.domain, self.spec, self.inputs = robot, self._specs[robot], self.inputs_for(robot)

    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Huber's loss of actions within the episode and that of blind ones, the codes' divergence, their information.

        The loss is their weighted sum, information counting against it. In training mode codes are drawn, else
        they are the likeliest. To look at: the temperature, and how many codes the batch uses, as it were.
        """
        seen, robot = batch.observation, self._robot(batch.observation)
        chosen = self._chosen(seen, "gumbel" if self.training and not self._kept else "argmax")
        made = self.model.interpret(robot, chosen.actions, seen.qpos, seen.images)  # (B, K, A)
        domain = self.model.domain(robot)
        actions = domain.actions(batch.actions)
        terms = {
            "huber": masked_huber(made, actions, batch.is_pad, self.config.huber_delta),
            "blind": self._blind(domain, chosen, actions, batch.is_pad),
        }
        if not self._kept:  # else the choice is made, and nothing about it learns
            terms |= {"divergence": chosen.divergence, "information": chosen.information}
        played = F.one_hot(chosen.codes, self.config.codes).float()  # (B, N)
        codes = batch_mean(played, whole=self.training)  # (N,)
        return {
            "loss": self._loss(terms),
            **terms,
            "temperature": self.model.codebook.temperature(),
            "perplexity": torch.special.entr(codes).sum().exp(),
        }

    def schedule_warnings(self, steps: int) -> Sequence[str]:
        """See `Policy`; the temperature, where codes learn."""
        temperature = self.model.codebook.temperature
        left, shorter = int(temperature.steps - temperature.step), f"--temperature-steps {max(1, 3 * steps // 4)}"
        if self._kept or left <= steps:
            return ()
        if temperature.step:  # goes on from a checkpoint's
            return (f"The temperature has {left} steps left to fall, this run has {steps}: {shorter} begins anew.",)
        return (f"The temperature falls over {left} steps, and this run has {steps}: {shorter}.",)

    def on_step_end(self) -> None:
        """See `Policy`; the temperature falls, where codes learn."""
        if not self._kept:
            self.model.codebook.temperature.advance()

    @torch.no_grad()
    def predict_with_codes(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """The next K actions in the environment's units, shape (B, K, A), and their codes, shape (B,) int64.

        Codes are the likeliest, or `code`.
        """
        universal, codes = self._universal(observation)
        robot = self._robot(observation)
        made = self.model.interpret(robot, universal, observation.qpos, observation.images)
        return self.model.domain(robot).actions.inverse(made), codes

    def fix_code(self, code: int) -> None:
        """See `CodedPolicy`."""
        self.model.codebook.check(code)
        self.code = code

    def validation_metrics(self, seen: Iterable[ObservationBatch]) -> Mapping[str, float]:
        """How it uses its codes, see `code_figures`."""
        groups: dict[str, dict[str, list[int]]] = {}
        for batch in seen:
            tasks = groups.setdefault(self._robot(batch), {})
            for instruction, code in zip(batch.instructions, self._universal(batch)[1].tolist(), strict=True):
                tasks.setdefault(instruction, []).append(code)
        chosen = {
            robot: {task: np.array(codes, np.int64) for task, codes in tasks.items()} for robot, tasks in groups.items()
        }
        return {f"codes/{name}": value for name, value in code_metrics(chosen, self.config.codes).items()}

    def init_from(self, other: Policy, *, fresh: bool = False) -> str:
        """See `Policy`; the extractor with its tokenizer, the codebook, the image encoder and known interpreters."""
        if not isinstance(other, UniActPolicy):
            raise UsageError(f"--adapt, --finetune: expected a checkpoint of {self.name}, got one of {other.name}.")
        try:
            known = self.model.init_from(other.model, fresh=fresh)
        except RuntimeError as error:
            raise UsageError(_other_sizes(other.config, self.config, error)) from error
        self.model.extractor.use_tokenizer(other.model.extractor.tokenizer)
        why = "begins afresh" if fresh else "is new: those of the checkpoint are of other robots or other cameras"
        robots = f", the interpreter of {', '.join(known)} too" if known else f"; the interpreter {why}"
        return f"Begins with the extractor, the codebook and the image encoder of the checkpoint{robots}."

    def freeze_shared(self) -> None:
        """See `Policy`; the extractor and the codebook."""
        self._kept = True
        for module in (self.model.extractor, self.model.codebook):
            module.requires_grad_(False)

    @torch.no_grad()
    def readout(self, observation: ObservationBatch) -> Tensor | None:
        """See `Policy`; the codes, shape (B,) int64."""
        return self._chosen(observation, "argmax").codes if self._kept else None

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Those that may begin with published weights: ResNet-18's, and LLaVA-OneVision's."""
        extractor = self.model.extractor.parameters() if self.config.extractor == "llava_ov" else ()
        return [*self.model.cameras.backbone.parameters(), *extractor]

    @classmethod
    def check_weight_files(cls, config: UniActConfig) -> None:
        """See `Policy`; of the image encoder and of LLaVA-OneVision."""
        image = missing_resnet_weights(config.backbone_width, config.backbone_norm, config.backbone_weights)
        missing = [image, missing_extractor_weights(config)]
        if any(missing):
            raise UsageError(" ".join(filter(None, missing)))

    def load_pretrained(self) -> str:
        """Weights into ResNet-18 and the extractor, as the configuration says."""
        said = load_resnet_weights(self.model.cameras.backbone, self.config.backbone_weights)
        return " ".join(filter(None, (said, self.model.extractor.load_pretrained())))

    def text_files(self) -> Mapping[str, str]:
        """The tokenizer."""
        return {TOKENIZER: self.model.extractor.tokenizer.to_json()}

    def load_text_files(self, texts: Mapping[str, str]) -> None:
        """See `Policy`."""
        self.model.extractor.read_tokenizer(texts[TOKENIZER])

    def _blind(self, domain: Domain, chosen: Selection, actions: Tensor, is_pad: Tensor) -> Tensor:
        """Huber's loss of what universal actions say by themselves, 0 if nobody asks."""
        if domain.blind is None:
            return chosen.divergence.new_zeros(())
        return masked_huber(domain.blind(chosen.actions), actions, is_pad, BLIND_DELTA)

    def _loss(self, terms: Mapping[str, Tensor]) -> Tensor:
        config = self.config
        interpreted = terms["huber"] + config.blind_weight * terms["blind"]
        if self._kept:
            return interpreted
        weighted = config.uniform_weight * terms["divergence"] - config.information_weight * terms["information"]
        return interpreted + weighted

    def _chosen(self, seen: ObservationBatch, mode: Mode) -> Selection:
        if seen.readout is not None:
            return self.model.codebook.looked_up(seen.readout)
        return self.model.choose(seen.images[self._views[self._robot(seen)].main], seen.instructions, mode)

    def _robot(self, seen: ObservationBatch) -> str:
        return seen.robot or self.domain

    def _add(self, spec: EnvSpec, statistics: Statistics) -> None:
        name, view = embodiment_of(spec), view_of(self.config, spec)
        self._specs[name], self._views[name] = replace(spec, cameras=view.inputs.cameras), view
        self.model.add_domain(name, spec, statistics, view.interpreter)

    def _universal(self, seen: ObservationBatch) -> tuple[Tensor, Tensor]:
        """Universal actions (B, W) and their codes (B,)."""
        if self.code is not None:
            codes = torch.full((len(seen),), self.code, device=seen.qpos.device)
            return self.model.codebook.fixed_code(self.code, len(seen)), codes
        chosen = self._chosen(seen, "argmax")
        return chosen.actions, chosen.codes


def _other_sizes(was: UniActConfig, now: UniActConfig, error: RuntimeError) -> str:
    differing = "; ".join(changed_flags(was, now)) or str(error).splitlines()[-1].strip()
    return (
        f"The checkpoint to begin with has other sizes than the policy that is asked for: {differing}. Leave out the "
        "flags that set sizes, they are those of the checkpoint; in Python, begin with defaults(POLICY, PRESET, "
        "base=CHECKPOINT)."
    )


# FOLDED policies.uniact.robot_view: What UniAct looks at when it acts with a robot.


@dataclass(frozen=True, kw_only=True)
class RobotView:
    """A robot's cameras.

    Attributes:
        interpreter: Those of the interpreter.
        main: The one of the extractor.
    """

    interpreter: tuple[str, ...]
    main: str

    @property
    def inputs(self) -> PolicyInputs:
        """All that is looked at."""
        seen = tuple(dict.fromkeys((*self.interpreter, self.main)))
        return PolicyInputs(cameras=seen, objects=False, instruction=True)


def view_of(config: UniActConfig, spec: EnvSpec) -> RobotView:
    """The cameras that the configuration names, as far as a robot's data have them; all if it names none.

    The main camera is the one that is named, or the interpreter's first.

    Raises:
        NoImagesError: The data have no images.
        UsageError: They have none of one of these cameras.
    """
    if not spec.cameras:
        raise NoImagesError(f"UniAct needs images, and the data of {spec.task} have none.")
    cameras = tuple(name for name in config.cameras or spec.cameras if name in spec.cameras)
    if not cameras:
        raise UsageError(
            f"UniAct needs images of {' or '.join(config.cameras)}{_told(config.cameras)}: the data of "
            f"{spec.task} have images of {', '.join(spec.cameras)}. Give --cameras with some of those, "
            "or without a name for all, or render the episodes again with render-episodes --cameras."
        )
    return RobotView(interpreter=cameras, main=_main(config, spec, cameras))


def _main(config: UniActConfig, spec: EnvSpec, cameras: tuple[str, ...]) -> str:
    if not config.main_camera:
        return cameras[0]
    if config.main_camera not in spec.cameras:
        raise UsageError(
            f"--main-camera {config.main_camera}{_told(config.main_camera)}: the data of {spec.task} have images of "
            f"{', '.join(spec.cameras)}. Give --main-camera {cameras[0]}, or --main-camera '' for the first of each "
            "robot's cameras."
        )
    return config.main_camera


def _told(setting: object) -> str:
    """Who said so, if anybody did: with --adapt or --finetune perhaps not the user."""
    return " (from the flags, or from the checkpoint to begin with)" if setting else ""
