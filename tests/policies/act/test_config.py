from dataclasses import fields
from pathlib import Path

import pytest
import torch
from act_samples import make_statistics
from synthetic_episode import make_spec

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.act.config import PRESETS, ActConfig, preset
from ambidex.policies.act.policy import ActPolicy

ORIGINAL = 51.61e6  # parameters of the original with one decoder layer and 14 joints (lerobot#1488)


def parameters(config):
    with torch.device("meta"):
        policy = ActPolicy(config, make_spec(cameras=("top",)), make_statistics())
    return sum(parameter.numel() for parameter in policy.parameters())


def test_paper_has_the_size_of_the_original_without_its_unused_parameters():
    d = 512
    first_self_attention_and_norm = 4 * (d * d + d) + 2 * d
    padding_head = d + 1
    start = d
    expected = parameters(preset("paper").config) - start + first_self_attention_and_norm + padding_head
    assert expected == pytest.approx(ORIGINAL, rel=1e-4)


def test_base_has_the_size_of_the_speed_measurements():
    assert parameters(preset("base").config) == 28_519_822


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_supports_both_kinds_of_observation(name):
    assert preset(name).config.observations == preset(name, "images").config.observations == "images"
    state = preset(name, "state")
    assert state.config.observations == "state"
    assert parameters(state.config) < parameters(preset(name).config)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'tiny'"):
        preset("tinny")
    with pytest.raises(UnknownNameError, match="images, state"):
        preset("tiny", "pixels")


@pytest.mark.parametrize(
    "changes",
    [
        {"d_model": 30, "heads": 4},
        {"d_model": 30, "heads": 5},
        {"chunk_size": 0},
        {"dropout": 1.0},
        {"execute_steps": -1},
        {"kl_weight": -1.0},
        {"padding_weight": float("nan")},
        {"cameras": ("top",), "observations": "state"},
        {"instructions": ("go", "go")},
    ],
)
def test_values_that_do_not_go_together_are_refused(changes):
    with pytest.raises(UsageError) as caught:
        ActConfig(**changes)
    assert caught.value.facts["field"] == next(iter(changes))


def test_every_setting_is_in_the_documentation():
    guide = (Path(__file__).resolve().parents[3] / "docs" / "policies.md").read_text()
    assert not [field.name for field in fields(ActConfig) if f"`{field.name}`" not in guide]
