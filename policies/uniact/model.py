"""UniAct's network, from top to bottom.

Source: Zheng et al., "Universal Actions for Enhanced Embodied Foundation Models", CVPR 2025; docs/policies.md says
where it differs and why.

B samples, F dimensions of the extractor's features, N codes, W numbers in each, V cameras, K actions in a chunk, A
action dimensions, J joints.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.normalization import Normalization, Statistics
from ambidex.policies.uniact.codebook import Codebook, Mode, Selection, Temperature
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractor.extractor import Extractor
from ambidex.policies.uniact.interpreters.interpreter import BlindInterpreter, Interpreter, InterpreterSizes
from ambidex.policies.uniact.interpreters.registry import make_interpreter
from ambidex.policies.vision.resnet import ImageNormalization, Norm, ResNet18

# FOLDED policies.uniact.domain: What belongs to one kind of robot alone.


class Domain(nn.Module):
    """A robot's interpreter with the statistics of its data; both are in the checkpoint.

    Args:
        interpreter: Makes its normalised actions.
        blind: Makes them of universal actions alone, for training; None for none.
        statistics: Of its training data.
        cameras: What it looks at.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        blind: BlindInterpreter | None,
        statistics: Statistics,
        cameras: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.cameras = cameras
        self.interpreter, self.blind = interpreter, blind
        self.qpos, self.actions = Normalization(statistics.qpos), Normalization(statistics.actions)

    def init_from(self, other: "Domain") -> None:
        """Copy what another domain of the same robot has learnt, rewritten for the statistics of the data here.

        Actions are the same in their own units, however its data are distributed.

        Raises:
            RuntimeError: The sizes differ.
        """
        self.interpreter.load_state_dict(other.interpreter.state_dict())
        if self.interpreter.proprio is not None:
            reread(self.interpreter.proprio, other.qpos, self.qpos)
        rewrite(self.interpreter.head, other.actions, self.actions)
        if self.blind is not None and other.blind is not None:
            self.blind.load_state_dict(other.blind.state_dict())
            rewrite(self.blind.head, other.actions, self.actions)

    def forward(self, features: Tensor, universal: Tensor, qpos: Tensor) -> Tensor:
        """Normalised actions, shape (B, K, A), from features (B, V, C, h, w), (B, W) and (B, J) in its own units."""
        return self.interpreter(features, universal, self.qpos(qpos))  # type: ignore[no-any-return]


SHARED = ("extractor", "codebook.project", "codebook.codes", "cameras")


class UniActModel(nn.Module):
    """What all robots share, and one domain for each.

    Args:
        config: Sizes.
        extractor: Makes features of the main camera's image and the instruction.
    """

    def __init__(self, config: UniActConfig, extractor: Extractor) -> None:
        super().__init__()
        self._config = config
        self.extractor = extractor
        temperature = Temperature(config.temperature_start, config.temperature_end, config.temperature_steps)
        self.codebook = Codebook(extractor.width, config.codes, config.code_width, temperature)
        self.cameras = CameraFeatures(config.backbone_width, config.backbone_norm)
        self.domains = nn.ModuleDict()

    def add_domain(self, name: str, spec: EnvSpec, statistics: Statistics, cameras: tuple[str, ...]) -> None:
        """Add a robot with a fresh interpreter.

        Raises:
            UnknownNameError: The configuration names an interpreter that does not exist.
            UsageError: It names one that is for another robot.
        """
        config = self._config
        sizes = InterpreterSizes(
            views=len(cameras),
            channels=self.cameras.backbone.channels,
            code_width=config.code_width,
            proprio=len(spec.joint_names),
            actions=len(spec.action_names),
            chunk=config.chunk_size,
            d_model=config.d_model,
            heads=config.heads,
            feedforward=config.feedforward,
            encoder_layers=config.encoder_layers,
            decoder_layers=config.decoder_layers,
        )
        interpreter = make_interpreter(config.interpreter, sizes)
        blind = BlindInterpreter(sizes.code_width, sizes.chunk, sizes.actions) if config.blind_weight else None
        self.domains[name] = Domain(interpreter, blind, statistics, cameras)

    def init_from(self, other: "UniActModel", *, fresh: bool) -> tuple[str, ...]:
        """Copy the weights of what robots share, and, unless `fresh`, of the interpreters of the robots that both have.

        Interpreters are rewritten for the statistics here, so their actions stay what they were.
        A robot that looks at other cameras than it did keeps its fresh interpreter. The temperature goes on from the
        other's, unless it is to fall between other limits.

        Returns:
            The robots whose interpreters were copied.

        Raises:
            RuntimeError: The sizes differ.
        """
        known = () if fresh else tuple(name for name in self.domains if self._sees_alike(other, name))
        for name in SHARED:
            self.get_submodule(name).load_state_dict(other.get_submodule(name).state_dict())
        for name in known:
            self.domain(name).init_from(other.domain(name))
        self.codebook.temperature.go_on_from(other.codebook.temperature)
        return known

    def domain(self, name: str) -> Domain:
        """The domain of this name."""
        found = self.domains[name]
        assert isinstance(found, Domain)
        return found

    def choose(self, image: Tensor, instructions: tuple[str, ...], mode: Mode) -> Selection:
        """Universal actions for the main camera's images (B, 3, H, W) uint8 and B instructions."""
        return self.codebook(self.extractor(image, instructions), mode)  # type: ignore[no-any-return]

    def interpret(self, domain: str, universal: Tensor, qpos: Tensor, images: Mapping[str, Tensor]) -> Tensor:
        """A robot's normalised actions (B, K, A) for universal ones (B, W), joints (B, J) and its cameras."""
        chosen = self.domain(domain)
        return chosen(self.cameras(images, chosen.cameras), universal, qpos)  # type: ignore[no-any-return]

    def _sees_alike(self, other: "UniActModel", name: str) -> bool:
        return name in other.domains and self.domain(name).cameras == other.domain(name).cameras


# FOLDED policies.uniact.units: Linear layers that say the same in other units.


@torch.no_grad()
def reread(layer: nn.Linear, old: Normalization, new: Normalization) -> None:
    """Have a layer take what is normalised by `new` for what it took normalised by `old`, D dimensions each."""
    layer.bias.add_(layer.weight @ ((new.mean - old.mean) / old.std))
    layer.weight.mul_(new.std / old.std)


@torch.no_grad()
def rewrite(layer: nn.Linear, old: Normalization, new: Normalization) -> None:
    """Have a layer that gave rows of D dimensions normalised by `old`, one or several at once, give them by `new`."""
    rows = len(layer.bias) // len(old.mean)
    scale, shift = (old.std / new.std).repeat(rows), ((old.mean - new.mean) / new.std).repeat(rows)
    layer.weight.mul_(scale[:, None])
    layer.bias.mul_(scale).add_(shift)


# FOLDED policies.uniact.camera_features: Images to the features that interpreters look at.


class CameraFeatures(nn.Module):
    """One ResNet-18 for all cameras, apart from the extractor, called once.

    Args:
        width: Of its first layers; 64 as published.
        norm: See `ResNet18`.
    """

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.normalise = ImageNormalization()
        self.backbone = ResNet18(width, norm)

    def forward(self, images: Mapping[str, Tensor], cameras: tuple[str, ...]) -> Tensor:
        """Camera -> (B, 3, H, W) uint8, to the features of V of them, shape (B, V, C, H / 32, W / 32)."""
        batch = torch.stack([images[camera] for camera in cameras], dim=1)  # (B, V, 3, H, W)
        return self.backbone(self.normalise(batch.flatten(0, 1))).unflatten(0, (-1, len(cameras)))  # type: ignore[no-any-return]
