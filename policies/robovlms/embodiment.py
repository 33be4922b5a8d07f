"""What belongs to one embodiment: its normalisation, the layer for its proprioception, and what makes its actions."""

import torch
from torch import nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.multi_embodiment import EmbodimentLayers
from ambidex.policies.normalization import Normalization, Statistics, rescale_inputs
from ambidex.policies.robovlms.actions import ActionNormalizer
from ambidex.policies.robovlms.config import RoboVlmsConfig
from ambidex.policies.robovlms.heads.discrete import DiscreteHead
from ambidex.policies.robovlms.heads.fc import RegressionLayers
from ambidex.policies.robovlms.heads.flow import FlowLayers
from ambidex.policies.robovlms.heads.head import ActionLayers
from ambidex.policies.vision_language.scratch import INITIAL_STD


class Embodiment(EmbodimentLayers):
    """The modules of one embodiment; all other weights are shared.

    Args:
        config: Settings of the policy.
        spec: Spec of the environment.
        statistics: Of its training data.
        cameras: Cameras that the policy uses with it.
        hidden_size: Width of the backbone's tokens.

    Attributes:
        proprio: The layer for normalised joint positions; None without proprioception.
    """

    def __init__(
        self, config: RoboVlmsConfig, spec: EnvSpec, statistics: Statistics, cameras: tuple[str, ...], hidden_size: int
    ) -> None:
        super().__init__()
        self.cameras = cameras
        self.qpos = Normalization(statistics.qpos)
        self.actions = ActionNormalizer(spec, statistics.actions, binary_gripper=config.binary_gripper)
        self.proprio = _proprio_layer(len(spec.joint_names), hidden_size) if config.proprioception else None
        self.head = _make_head(config, self.actions.grippers)

    @property
    def layers(self) -> ActionLayers:
        """What makes actions of features, in a continuous structure."""
        assert isinstance(self.head, ActionLayers)
        return self.head

    @property
    def tokens(self) -> DiscreteHead:
        """What makes actions of tokens, in a discrete structure."""
        assert isinstance(self.head, DiscreteHead)
        return self.head

    @torch.no_grad()
    def init_from(self, other: "Embodiment") -> None:
        """Copy the weights of the same embodiment. Statistics stay those of the new data.

        Proprioception and actions by regression are rescaled, so that the policy acts as before; the others start with
        actions that are stretched to the new range.

        Raises:
            RuntimeError: The sizes differ.
        """
        self.head.load_state_dict(other.head.state_dict())
        if self.proprio is not None and other.proprio is not None:
            self.proprio.load_state_dict(other.proprio.state_dict())
            rescale_inputs(self.proprio, other.qpos, self.qpos)
        if isinstance(self.head, RegressionLayers):
            rescale_actions(self.head.out, other.actions, self.actions)


@torch.no_grad()
def rescale_actions(layer: nn.Linear, old: ActionNormalizer, new: ActionNormalizer) -> None:
    """Change a layer with actions normalised by `old`, several rows of A, to actions by `new`."""
    kept = new.binary | (new.half_range == 0)
    size = torch.where(kept, 1.0, new.half_range)
    scale = torch.where(kept, 1.0, old.half_range / size)
    shift = torch.where(kept, 0.0, (old.centre - new.centre) / size)
    rows = len(layer.bias) // len(scale)
    layer.weight.mul_(scale.repeat(rows)[:, None])
    layer.bias.mul_(scale.repeat(rows)).add_(shift.repeat(rows))


def _proprio_layer(joints: int, hidden_size: int) -> nn.Linear:
    """A layer whose tokens are at first as large as the other learned ones and as words."""
    layer = nn.Linear(joints, hidden_size)
    nn.init.normal_(layer.weight, std=INITIAL_STD / joints**0.5)
    nn.init.zeros_(layer.bias)
    return layer


def _make_head(config: RoboVlmsConfig, grippers: tuple[bool, ...]) -> ActionLayers | DiscreteHead:
    width, chunk = config.head_width, config.chunk_size
    if config.chosen_head == "discrete":
        return DiscreteHead(config.bins, chunk, len(grippers))
    if config.chosen_head == "flow":
        return FlowLayers(width, width, config.head_layers, chunk, len(grippers), config.flow_steps)
    return RegressionLayers(
        width,
        chunk,
        grippers,
        kind=config.loss,
        delta=config.huber_delta,
        gripper_weight=config.gripper_weight,
    )
