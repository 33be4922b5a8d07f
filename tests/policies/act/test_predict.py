import dataclasses

import pytest
import torch
from act_samples import CAMERAS, CHUNK, JOINTS, make_observation, make_policy, make_statistics
from synthetic_episode import make_spec

from ambidex.errors import UsageError
from ambidex.policies.act.policy import cameras_of

KINDS = [{"observations": "state"}, {"cameras": CAMERAS}, {"cameras": CAMERAS, "camera_attention": True}]


@pytest.mark.parametrize("changes", KINDS)
def test_a_prediction_is_a_chunk_and_needs_no_luck(changes):
    policy, observation = make_policy(**changes, dropout=0.5).eval(), make_observation()
    torch.manual_seed(1)
    first = policy.predict(observation)
    assert first.shape == (3, CHUNK, JOINTS)
    assert not first.requires_grad
    torch.manual_seed(2)
    assert torch.equal(policy.predict(observation), first)


@pytest.mark.parametrize("changes", KINDS)
def test_a_sample_is_predicted_whatever_lies_beside_it(changes):
    policy, observation = make_policy(**changes).eval(), make_observation(3)
    alone = dataclasses.replace(
        observation,
        qpos=observation.qpos[:1],
        objects=observation.objects[:1],
        images={camera: image[:1] for camera, image in observation.images.items()},
        instructions=("insert",),
    )
    torch.testing.assert_close(policy.predict(alone), policy.predict(observation)[:1], rtol=1e-4, atol=1e-4)


def test_a_state_dict_is_complete():
    policy = make_policy(observations="state").eval()
    other = make_policy(observations="state", seed=9, statistics=make_statistics(seed=5)).eval()
    observation = make_observation()
    assert not torch.equal(other.predict(observation), policy.predict(observation))
    other.load_state_dict(policy.state_dict())
    assert torch.equal(other.predict(observation), policy.predict(observation))


def test_predictions_are_in_the_units_of_the_actions():
    policy, observation = make_policy(observations="state").eval(), make_observation()
    before = policy.predict(observation)
    policy.actions.mean += 10.0
    torch.testing.assert_close(policy.predict(observation), before + 10.0)


def test_the_policy_looks_at_what_its_inputs_say():
    policy = make_policy(cameras=CAMERAS).eval()
    assert policy.inputs.cameras == CAMERAS
    assert not policy.inputs.objects
    observation = make_observation()
    before = policy.predict(observation)
    for camera in CAMERAS:
        changed = {**observation.images, camera: 255 - observation.images[camera]}
        assert not torch.allclose(policy.predict(dataclasses.replace(observation, images=changed)), before)
    blind = dataclasses.replace(observation, objects=torch.empty(3, 0))
    assert torch.equal(policy.predict(blind), before)


def test_object_poses_instead_of_images():
    policy = make_policy(observations="state").eval()
    assert policy.inputs.cameras == ()
    assert policy.inputs.objects
    observation = dataclasses.replace(make_observation(), images={})
    moved = dataclasses.replace(observation, objects=observation.objects + 1)
    assert not torch.allclose(policy.predict(moved), policy.predict(observation))


def test_all_cameras_pass_the_backbone_in_one_call():
    policy, calls = make_policy(cameras=CAMERAS).eval(), []
    policy.model.cameras.backbone.register_forward_hook(lambda module, given, made: calls.append(given[0]))
    policy.predict(make_observation(2))
    (images,) = calls
    assert images.shape == (2 * len(CAMERAS), 3, 48, 64)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_images_of_another_size_give_predictions_too():
    policy, observation = make_policy(cameras=("top",), camera_attention=True).eval(), make_observation(1)
    larger = dataclasses.replace(observation, images={"top": torch.zeros(1, 3, 70, 130, dtype=torch.uint8)})
    assert policy.predict(larger).shape == (1, CHUNK, JOINTS)


def test_cameras_are_those_of_the_data_unless_chosen():
    policy = make_policy(cameras=("top", "left_wrist"))
    assert cameras_of(policy.config, policy.spec) == ("top", "left_wrist")
    chosen = dataclasses.replace(policy.config, cameras=("left_wrist",))
    assert cameras_of(chosen, policy.spec) == ("left_wrist",)


@pytest.mark.parametrize(("asked", "there"), [(("angle",), ("top",)), ((), ())])
def test_cameras_that_are_not_in_the_data_are_refused(asked, there):
    config = dataclasses.replace(make_policy().config, cameras=asked)
    with pytest.raises(UsageError, match=r"observations '?state"):
        cameras_of(config, make_spec(cameras=there))


@pytest.mark.parametrize("changes", [{"observations": "state"}, {"cameras": CAMERAS, "camera_attention": True}])
def test_the_losses_compile_into_one_graph(changes):
    from act_samples import make_batch

    policy, batch = make_policy(**changes, dropout=0.1).train(), make_batch()
    compiled = torch.compile(policy.losses, backend="eager", fullgraph=True)
    assert torch.isfinite(compiled(batch)["loss"])
