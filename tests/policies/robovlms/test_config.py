import dataclasses

import pytest
from robovlms_samples import COMBINATIONS, make_config

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.robovlms.config import HEADS, PRESETS, preset
from ambidex.policies.robovlms.policy import RoboVlmsPolicy

HEAD_NAMES = {head for heads in HEADS.values() for head in heads}


@pytest.mark.parametrize("structure", HEADS)
def test_a_head_that_does_not_go_with_a_structure_is_refused_with_those_that_do(structure):
    for head in HEAD_NAMES - set(HEADS[structure]):
        with pytest.raises(UsageError) as caught:
            make_config(structure, head)
        assert caught.value.facts == {"field": "head", "got": head, "expected": HEADS[structure]}
        assert all(name in str(caught.value) for name in HEADS[structure])
    assert make_config(structure).chosen_head == HEADS[structure][0]


@pytest.mark.parametrize("structure", [name for name in HEADS if name.startswith("one_step")])
def test_one_step_refuses_a_history(structure):
    with pytest.raises(UsageError) as caught:
        make_config(structure, history=4)
    assert caught.value.facts == {"field": "history", "got": 4, "expected": 1}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("history", 0),
        ("stride", 0),
        ("chunk_size", 0),
        ("bins", 0),
        ("head_width", 30),
        ("flow_steps", 0),
        ("huber_delta", 0.0),
        ("gripper_weight", -1.0),
        ("gripper_weight", float("nan")),
        ("execute_steps", -1),
        ("lora_rank", -1),
    ],
)
def test_values_out_of_range_are_refused(field, value):
    with pytest.raises(UsageError) as caught:
        make_config(**{field: value})
    assert caught.value.facts["field"] == field


def test_presets_are_named_and_refuse_object_poses():
    for name in ("paper", "kosmos2", "paligemma_3b", "smolvlm_500m", "base", "tiny"):
        assert preset(name, "images") is PRESETS[name]
    with pytest.raises(UnknownNameError):
        preset("huge")
    with pytest.raises(UsageError):
        preset("tiny", "state")


def test_missing_weights_are_named_before_anything_slow(tmp_path):
    published = PRESETS["paligemma_3b"].config
    for weights in ("", str(tmp_path / "absent")):
        with pytest.raises(UsageError) as caught:
            RoboVlmsPolicy.check_weight_files(dataclasses.replace(published, backbone_weights=weights))
        assert caught.value.facts == {"field": "backbone_weights", "got": weights}
    RoboVlmsPolicy.check_weight_files(dataclasses.replace(published, backbone_weights="none"))
    RoboVlmsPolicy.check_weight_files(PRESETS["tiny"].config)


def test_every_structure_has_a_head():
    assert {structure for structure, _ in COMBINATIONS} == set(HEADS)
