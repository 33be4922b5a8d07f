"""UniAct's network: an extractor and a codebook that all embodiments share, and an interpreter for each.

Source: Zheng et al., "Universal Actions for Enhanced Embodied Foundation Models", CVPR 2025; docs/policies.md lists the
differences and their reasons.

B samples, F dimensions of the extractor's features, N codes, W dimensions of each, V cameras, K actions per chunk, A
action dimensions, J joints.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.multi_embodiment import EmbodimentLayers
from ambidex.policies.normalization import Normalization, Statistics, rescale_inputs
from ambidex.policies.uniact.codebook import Codebook, Mode, Selection, Temperature
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractors.extractor import Extractor
from ambidex.policies.uniact.interpreters.interpreter import BlindInterpreter, Interpreter, InterpreterSizes
from ambidex.policies.uniact.interpreters.registry import make_interpreter
from ambidex.policies.vision.resnet import ImageNormalization, Norm, ResNet18

SHARED = ("extractor", "codebook.project", "codebook.codes", "cameras")


class UniActModel(nn.Module):
    """The modules that all embodiments share, and one domain for each embodiment."""

    def __init__(self, config: UniActConfig, extractor: Extractor) -> None:
        super().__init__()
        self._config = config
        self.extractor = extractor
        temperature = Temperature(config.temperature_start, config.temperature_end, config.temperature_steps)
        self.codebook = Codebook(extractor.width, config.codes, config.code_width, temperature)
        self.cameras = CameraFeatures(config.backbone_width, config.backbone_norm)
        self.domains = nn.ModuleDict()

    def choose(self, image: Tensor, instructions: tuple[str, ...], mode: Mode) -> Selection:
        """Universal actions for the main camera's images (B, 3, H, W) uint8 and B instructions."""
        return self.codebook(self.extractor(image, instructions), mode)  # type: ignore[no-any-return]

    def interpret(self, embodiment: str, universal: Tensor, qpos: Tensor, images: Mapping[str, Tensor]) -> Tensor:
        """Normalised actions (B, K, A) of an embodiment, from universal ones (B, W), joints (B, J) and its cameras."""
        domain = self.domain(embodiment)
        return domain(self.cameras(images, domain.cameras), universal, qpos)  # type: ignore[no-any-return]

    def domain(self, embodiment: str) -> "Domain":
        """The domain of an embodiment."""
        found = self.domains[embodiment]
        assert isinstance(found, Domain)
        return found

    def add_domain(self, embodiment: str, spec: EnvSpec, statistics: Statistics, cameras: tuple[str, ...]) -> None:
        """Add an embodiment with a fresh interpreter.

        Raises:
            UnknownNameError: The config names an interpreter that does not exist.
            UsageError: It names one with other sizes than the data.
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
        self.domains[embodiment] = Domain(interpreter, blind, statistics, cameras)

    def copy_shared(self, other: "UniActModel") -> None:
        """Copy the weights that embodiments share. The temperature continues from the other's unless limits differ.

        Raises:
            RuntimeError: The sizes differ.
        """
        for name in SHARED:
            self.get_submodule(name).load_state_dict(other.get_submodule(name).state_dict())
        self.codebook.temperature.continue_from(other.codebook.temperature)


class CameraFeatures(nn.Module):
    """Image features for interpreters: one ResNet-18 for all cameras, called once, separate from the extractor."""

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.normalise = ImageNormalization()
        self.backbone = ResNet18(width, norm)

    def forward(self, images: Mapping[str, Tensor], cameras: tuple[str, ...]) -> Tensor:
        """Camera -> (B, 3, H, W) uint8, to the features of V of them, shape (B, V, C, H / 32, W / 32)."""
        batch = torch.stack([images[camera] for camera in cameras], dim=1)  # (B, V, 3, H, W)
        return self.backbone(self.normalise(batch.flatten(0, 1))).unflatten(0, (-1, len(cameras)))  # type: ignore[no-any-return]


class Domain(EmbodimentLayers):
    """The part of the model that belongs to one embodiment: its interpreter and the statistics of its data.

    A blind interpreter makes actions from universal actions alone, for training; None for none.
    """

    def __init__(
        self, interpreter: Interpreter, blind: BlindInterpreter | None, statistics: Statistics, cameras: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.cameras = cameras
        self.interpreter, self.blind = interpreter, blind
        self.qpos, self.actions = Normalization(statistics.qpos), Normalization(statistics.actions)

    def forward(self, features: Tensor, universal: Tensor, qpos: Tensor) -> Tensor:
        """Features (B, V, C, h, w), universal actions (B, W) and raw joints (B, J) to normalised actions (B, K, A)."""
        return self.interpreter(features, universal, self.qpos(qpos))  # type: ignore[no-any-return]

    def init_from(self, other: "Domain") -> None:
        """Copy the weights of a domain of the same embodiment, rescaled to the statistics here.

        Its actions in the environment's units stay the same, whatever the statistics are.

        Raises:
            RuntimeError: The sizes differ.
        """
        self.interpreter.load_state_dict(other.interpreter.state_dict())
        if self.interpreter.proprio is not None:
            rescale_inputs(self.interpreter.proprio, other.qpos, self.qpos)
        rescale_outputs(self.interpreter.head, other.actions, self.actions)
        if self.blind is not None and other.blind is not None:
            self.blind.load_state_dict(other.blind.state_dict())
            rescale_outputs(self.blind.head, other.actions, self.actions)


@torch.no_grad()
def rescale_outputs(layer: nn.Linear, old: Normalization, new: Normalization) -> None:
    """Change a layer with outputs normalised by `old`, one or several rows of D dimensions, to outputs by `new`."""
    rows = len(layer.bias) // len(old.mean)
    scale, shift = (old.std / new.std).repeat(rows), ((old.mean - new.mean) / new.std).repeat(rows)
    layer.weight.mul_(scale[:, None])
    layer.bias.mul_(scale).add_(shift)
