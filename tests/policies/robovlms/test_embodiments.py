"""RoboVLMs with several embodiments, and started from a checkpoint."""

import dataclasses

import pytest
import torch
from robovlms_samples import (
    ALOHA,
    LIBERO,
    make_batch,
    make_config,
    make_observation,
    make_policy,
    make_statistics,
)

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.checkpoint import load, save
from ambidex.policies.robovlms.policy import RoboVlmsPolicy
from ambidex.policies.robovlms.windows import frame_at

ALOHA_NAME, PANDA_NAME = "viperx_bimanual-joint", "panda-ee"
pytestmark = pytest.mark.usefixtures("one_thread")


def make_both(structure="policy_head_continuous", head="auto"):
    policy = make_policy(structure, head)
    policy.add_embodiment(LIBERO, make_statistics(LIBERO))
    return policy


@pytest.mark.parametrize(("structure", "head"), [("one_step_discrete", "discrete"), ("policy_head_continuous", "flow")])
def test_one_checkpoint_acts_with_each_embodiment(structure, head, tmp_path):
    policy = make_both(structure, head)
    saved = save(tmp_path, policy, policy.config, [make_statistics(ALOHA), make_statistics(LIBERO)], step=1)
    loaded = load(saved)
    assert loaded.specs == policy.specs and set(policy.embodiments_in(policy.state_dict())) == {ALOHA_NAME, PANDA_NAME}
    for name, spec in ((ALOHA_NAME, ALOHA), (PANDA_NAME, LIBERO)):
        for each in (policy.eval(), loaded):
            each.use_embodiment(name)
        observation = make_observation(policy, 1)
        assert policy.inputs.cameras == spec.cameras
        chunk = policy.predict(observation)
        assert chunk.shape[-1] == len(spec.action_names) and torch.equal(loaded.predict(observation), chunk)
    with pytest.raises(UnknownNameError):
        policy.use_embodiment("panda_ee")
    with pytest.raises(UsageError):
        policy.add_embodiment(LIBERO, make_statistics(LIBERO))


def test_a_batch_of_one_embodiment_trains_the_shared_weights_and_its_own():
    policy = make_both()
    batch = make_batch(make_policy(spec=LIBERO))
    observation = dataclasses.replace(batch.observation, embodiment=PANDA_NAME)
    policy.train().losses(dataclasses.replace(batch, observation=observation))["loss"].backward()
    trained = {name for name, each in policy.named_parameters() if each.grad is not None}
    own = {name for name, _ in policy.named_parameters() if name.startswith(f"embodiments.{PANDA_NAME}")}
    others = {name for name, _ in policy.named_parameters() if name.startswith(f"embodiments.{ALOHA_NAME}")}
    assert own and others and trained == {name for name, _ in policy.named_parameters()} - others


def test_all_embodiments_have_the_same_loss_terms():
    """The log of a training with several has one column for each."""
    aloha, panda = make_policy(), make_policy(spec=LIBERO)
    with_gripper, without = (policy.train().losses(make_batch(policy)) for policy in (panda, aloha))
    assert list(with_gripper) == list(without) and without["gripper"] == 0 < with_gripper["gripper"]


def test_starting_from_a_checkpoint_keeps_actions_under_other_statistics():
    source = make_policy(seed=1, binary_gripper=True).eval()
    target = RoboVlmsPolicy(source.config, ALOHA, make_statistics(seed=7)).eval()
    observation = make_observation(source)
    grippers = [i for i, name in enumerate(ALOHA.action_names) if name.endswith("gripper")]
    arm = [i for i in range(14) if i not in grippers]
    assert "the layers of viperx_bimanual-joint" in target.init_from(source)
    before, after = source.predict(observation), target.predict(observation)
    assert torch.allclose(before[..., arm], after[..., arm], atol=1e-4)
    assert torch.equal(
        *(
            policy.embodiments[ALOHA_NAME].actions(chunk)[..., grippers]
            for policy, chunk in ((source, before), (target, after))
        )
    )


def test_the_tokenizer_of_a_checkpoint_is_kept_with_other_instructions():
    source = make_policy(spec=LIBERO)
    target = make_policy(spec=dataclasses.replace(LIBERO, instruction="stack the blocks; stack the other blocks"))
    expected = source.text_model.tokenizer.to_json()
    assert target.text_model.tokenizer.to_json() != expected
    target.init_from(source)
    assert target.text_model.tokenizer.to_json() == expected


def test_the_same_lora_is_copied_and_not_added():
    pytest.importorskip("peft", reason="pip install -e '.[robovlms]'")
    source, target = make_policy(seed=1, lora_rank=2), make_policy(seed=2, lora_rank=2)
    for name, parameter in source.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    target.init_from(source)
    copied = target.structure.state_dict()
    assert all(torch.equal(value, copied[name]) for name, value in source.structure.state_dict().items())


def test_lora_can_start_beside_the_weights_of_a_checkpoint_without_it():
    pytest.importorskip("peft", reason="pip install -e '.[robovlms]'")
    source, target = make_policy(seed=1).eval(), make_policy(seed=2, lora_rank=2).eval()
    target.init_from(source)
    observation = make_observation(source)
    assert torch.allclose(target.predict(observation), source.predict(observation), atol=1e-5)
    assert [name for name, each in target.structure.backbone.text_tower.named_parameters() if each.requires_grad]


@pytest.mark.parametrize("changes", [{}, {"lora_rank": 3}, {"lora_rank": 2, "lora_alpha": 5.0}])
def test_other_lora_than_that_of_a_checkpoint_is_added_to_the_weights(changes):
    pytest.importorskip("peft", reason="pip install -e '.[robovlms]'")
    source, target = make_policy(seed=1, lora_rank=2).eval(), make_policy(seed=2, **changes).eval()
    plain, observation = source.predict(make_observation(source)), make_observation(source)
    for name, parameter in source.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    target.init_from(source)
    assert not torch.allclose(source.predict(observation), plain, atol=1e-3)
    assert torch.allclose(target.predict(observation), source.predict(observation), atol=1e-4)


@pytest.mark.parametrize("history", [1, 2])
def test_adapting_without_proprioception_needs_the_backbone_once_for_each_frame(history, monkeypatch):
    policy = make_policy(proprioception=False, history=history)
    batch = make_batch(policy)
    observation = batch.observation
    assert policy.cacheable_features(observation) is None
    policy.freeze_shared()
    policy.eval()
    frames = [frame_at(observation, i) for i in range(2)] if history > 1 else [observation]
    features = [policy.cacheable_features(frame) for frame in frames]
    cached = torch.stack(features, dim=1) if history > 1 else features[0]
    known = dataclasses.replace(observation, cached_features=cached)
    policy.train()
    expected = policy.losses(batch)["loss"]
    monkeypatch.setattr(policy.structure.backbone, "encode_images", None)
    assert torch.allclose(policy.losses(dataclasses.replace(batch, observation=known))["loss"], expected)
    other = make_policy()
    other.freeze_shared()
    assert other.cacheable_features(make_observation(other)) is None


def test_fresh_layers_share_the_rest_and_adapting_freezes_it():
    source, target = make_policy(seed=1), make_policy(seed=2)
    assert "as requested" in target.init_from(source, fresh=True)
    target.freeze_shared()
    for name, each in target.named_parameters():
        shared = name.startswith("structure.")
        assert each.requires_grad != shared
        assert torch.equal(each, source.get_parameter(name)) == shared or each.std() == 0, name


@pytest.mark.parametrize(
    ("structure", "changes"),
    [
        ("policy_head_continuous", {"chunk_size": 7}),
        ("one_step_discrete", {"chunk_size": 7}),
        ("one_step_discrete", {"bins": 64}),
        ("one_step_continuous", {"binary_gripper": True}),
        ("policy_head_continuous", {"head_width": 32, "head": "transformer"}),
    ],
)
def test_settings_that_change_what_weights_mean_are_refused_with_the_flags(structure, changes):
    source, target = make_policy(structure, head=changes.pop("head", "auto")), make_policy(structure, **changes)
    (name,) = changes
    with pytest.raises(UsageError, match=f"Leave out --{name.replace('_', '-')}, or train from scratch") as caught:
        target.init_from(source)
    own = name in RoboVlmsPolicy.own_settings
    assert ("With --fresh-interpreter" in str(caught.value)) == own
    if own:
        assert "as requested" in target.init_from(source, fresh=True)


@pytest.mark.parametrize("cameras", [("angle",), ("agentview", "top")])
def test_cameras_are_those_that_the_data_has(cameras):
    config = make_config(cameras=cameras)
    if "top" in cameras:
        assert RoboVlmsPolicy(config, ALOHA, make_statistics()).inputs.cameras == ("top",)
        return
    with pytest.raises(UsageError) as caught:
        RoboVlmsPolicy(config, ALOHA, make_statistics())
    assert caught.value.facts == {"field": "cameras", "got": cameras, "expected": ALOHA.cameras}
