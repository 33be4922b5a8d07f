"""Makes the structure that the settings name, with its head's trunk."""

from ambidex.policies.robovlms.backbones.backbone import Backbone
from ambidex.policies.robovlms.config import RoboVlmsConfig, StructureKind
from ambidex.policies.robovlms.heads.fc import FcTrunk
from ambidex.policies.robovlms.heads.head import Trunk
from ambidex.policies.robovlms.heads.lstm import LstmTrunk
from ambidex.policies.robovlms.heads.transformer import TransformerTrunk
from ambidex.policies.robovlms.structures.interleaved_continuous import InterleavedContinuous
from ambidex.policies.robovlms.structures.one_step_continuous import OneStepContinuous
from ambidex.policies.robovlms.structures.one_step_discrete import OneStepDiscrete
from ambidex.policies.robovlms.structures.policy_head_continuous import PolicyHeadContinuous
from ambidex.policies.robovlms.structures.structure import ContinuousStructure, Structure

CONTINUOUS: dict[StructureKind, type[ContinuousStructure]] = {
    "one_step_continuous": OneStepContinuous,
    "interleaved_continuous": InterleavedContinuous,
    "policy_head_continuous": PolicyHeadContinuous,
}


def make_structure(config: RoboVlmsConfig, backbone: Backbone) -> Structure:
    """The structure of some settings, with fresh weights around a backbone."""
    if config.structure == "one_step_discrete":
        return OneStepDiscrete(backbone, config.bins)
    return CONTINUOUS[config.structure](backbone, _make_trunk(config, backbone.hidden_size))


def _make_trunk(config: RoboVlmsConfig, inputs: int) -> Trunk:
    """The trunk of a head. Flow matching with a policy head has that of the transformer, else that of fc."""
    width, layers = config.head_width, config.head_layers
    if config.chosen_head == "lstm":
        return LstmTrunk(inputs, width, layers)
    by_policy_head = config.chosen_head == "flow" and config.structure == "policy_head_continuous"
    if config.chosen_head == "transformer" or by_policy_head:
        return TransformerTrunk(inputs, width, layers, config.head_heads, config.history)
    return FcTrunk(inputs, width, layers)
