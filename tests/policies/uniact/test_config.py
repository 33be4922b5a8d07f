import dataclasses
from pathlib import Path

import pytest
import torch
from act_samples import make_statistics
from synthetic_episode import make_spec

from ambidex.codec import from_json, to_json
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.uniact.config import PRESETS, UniActConfig, preset
from ambidex.policies.uniact.policy import UniActPolicy
from ambidex.policies.vision_language.llava import LlavaShape


@pytest.mark.parametrize("name", PRESETS)
def test_settings_can_be_written_and_read(name):
    assert from_json(UniActConfig, to_json(preset(name).config)) == preset(name).config


def test_paper_has_the_published_sizes():
    config = preset("paper").config
    assert (config.codes, config.code_width, config.chunk_size, config.huber_delta) == (256, 128, 4, 0.1)
    assert LlavaShape().image_tokens == 197


@pytest.mark.parametrize(("name", "least", "most"), [("tiny", 1e6, 3e6), ("base", 25e6, 45e6)])
def test_presets_have_about_their_size(name, least, most):
    with torch.device("meta"):
        policy = UniActPolicy(preset(name).config, make_spec(cameras=("top",)), make_statistics())
    assert least < sum(parameter.numel() for parameter in policy.parameters()) < most


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'tiny'"):
        preset("tinny")
    with pytest.raises(UsageError) as caught:
        preset("tiny", "state")
    assert caught.value.facts["field"] == "observations"


@pytest.mark.parametrize(
    "changes",
    [
        {"codes": 0},
        {"temperature_end": 0.0},
        {"temperature_steps": 0},
        {"uniform_weight": float("nan")},
        {"d_model": 30, "heads": 4},
        {"execute_steps": -1},
    ],
)
def test_values_out_of_range_are_refused(changes):
    with pytest.raises(UsageError) as caught:
        UniActConfig(**changes)
    assert caught.value.facts["field"] in changes


SMALL = LlavaShape(vocabulary=320, video_token=2, image_token=0)


@pytest.mark.parametrize("changes", [{"width": 897}, {"key_value_heads": 3}, {"vision_heads": 5}, {"video_token": 320}])
def test_sizes_of_llava_that_do_not_go_together_are_refused(changes):
    with pytest.raises(UsageError, match=next(iter(changes))):
        dataclasses.replace(SMALL, **changes)


def test_every_setting_is_in_the_documentation():
    guide = (Path(__file__).resolve().parents[3] / "docs" / "policies.md").read_text().split("## Settings of UniAct")[1]
    assert not [field.name for field in dataclasses.fields(UniActConfig) if f"| `{field.name}` |" not in guide]
