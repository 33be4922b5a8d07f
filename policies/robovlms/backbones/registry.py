"""Registered backbones; modules are imported when a name is resolved. Needs no torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ambidex.lookup import Registry, resolve

if TYPE_CHECKING:
    from ambidex.policies.robovlms.backbones.backbone import Backbone

GROUP = "ambidex.backbones"
"""Entry points of other distributions: the name of a backbone, and its class."""
_FOLDER = "ambidex.policies.robovlms.backbones"
BACKBONES = Registry(
    {
        "scratch": f"{_FOLDER}.scratch:ScratchBackbone",
        "paligemma": f"{_FOLDER}.paligemma:PaliGemma",
        "kosmos2": f"{_FOLDER}.kosmos2:Kosmos2",
        "llava_onevision": f"{_FOLDER}.llava:LlavaOneVision",
        "qwen2_5_vl": f"{_FOLDER}.qwen:Qwen25VL",
        "smolvlm": f"{_FOLDER}.smolvlm:SmolVLM",
    },
    GROUP,
)


def backbone_class(name: str) -> "type[Backbone]":
    """The class of a backbone.

    Raises:
        UnknownNameError: No such backbone; the message says what exists.
    """
    return cast("type[Backbone]", resolve("backbone", name, BACKBONES))


def make_backbone(
    name: str, size: str, instructions: Sequence[str], attention: str = "auto", discrete: bool = False
) -> "Backbone":
    """A backbone with fresh weights.

    Args:
        name: Its registered name.
        size: One of the sizes of its class, e.g. "tiny" or "published".
        instructions: Of the training data; its tokenizer is trained on them.
        attention: "auto", "sdpa", "flash_attention_2" or "eager".
        discrete: Whether it is asked for actions as words; else it has no output layer of its own for words.

    Raises:
        UnknownNameError: No such backbone or size.
        UsageError: A package is not installed.
    """
    make: Any = backbone_class(name)
    return cast("Backbone", make(size, instructions, attention, discrete))
