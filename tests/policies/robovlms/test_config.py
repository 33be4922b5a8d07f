import dataclasses
from contextlib import nullcontext

import pytest
import torch
from robovlms_samples import ALOHA, COMBINATIONS, make_config, make_policy, make_statistics

from ambidex.envs.registry import FAMILIES
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
        ("history_dropout", 1.1),
        ("proprioception_dropout", -0.1),
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


def test_presets_with_lora_train_no_other_weights_of_the_backbone():
    for name, each in PRESETS.items():
        frozen = not (each.config.train_vision or each.config.train_text_embedding)
        assert frozen == each.training.gradient_checkpointing == bool(each.config.lora_rank), name
    assert PRESETS["kosmos2"].config.lora_rank and PRESETS["paligemma_3b"].config.lora_rank


def test_missing_weights_are_named_before_anything_slow(tmp_path):
    published = PRESETS["paligemma_3b"].config
    for weights in ("", str(tmp_path / "absent")):
        with pytest.raises(UsageError) as caught:
            RoboVlmsPolicy.check_weight_files(dataclasses.replace(published, backbone_weights=weights))
        assert caught.value.facts == {"field": "backbone_weights", "got": weights}
    RoboVlmsPolicy.check_weight_files(dataclasses.replace(published, backbone_weights="none"))
    RoboVlmsPolicy.check_weight_files(PRESETS["tiny"].config)
    with pytest.raises(UsageError, match="no published weights"):
        RoboVlmsPolicy.check_weight_files(dataclasses.replace(PRESETS["tiny"].config, backbone_weights=str(tmp_path)))


def test_another_backbone_in_a_preset_from_scratch_needs_the_flag_of_its_weights():
    config = dataclasses.replace(PRESETS["tiny"].config, backbone="kosmos2")
    with pytest.raises(UsageError, match="or none"):
        RoboVlmsPolicy.check_weight_files(config)
    assert make_policy().load_pretrained() == "Weights of the backbone scratch (size tiny) are random."
    assert "stay random" in make_policy(train_vision=False).load_pretrained()


@pytest.mark.parametrize("name", PRESETS)
def test_sequences_of_the_default_cameras_fit_or_are_refused_before_weights_exist(name):
    """Those of ALOHA, which has more cameras and joints than LIBERO, in the structures with the longest sequences."""
    spec = dataclasses.replace(ALOHA, cameras=FAMILIES["aloha"].cameras)
    assert len(spec.cameras) >= len(FAMILIES["libero"].cameras)
    if PRESETS[name].config.backbone != "scratch":
        pytest.importorskip("transformers", reason="pip install -e '.[robovlms]'")
    for structure in ("one_step_discrete", "interleaved_continuous"):
        history = 1 if structure.startswith("one_step") else PRESETS[name].config.history
        config = dataclasses.replace(PRESETS[name].config, structure=structure, history=history, lora_rank=0)
        fits = (name, structure) != ("paper", "interleaved_continuous")  # 16 * 3 * 64 tokens of images
        with torch.device("meta"), nullcontext() if fits else pytest.raises(UsageError, match="2048"):
            RoboVlmsPolicy(config, spec, make_statistics(spec))


def test_every_structure_has_a_head():
    assert {structure for structure, _ in COMBINATIONS} == set(HEADS)
