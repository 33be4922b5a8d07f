import dataclasses

import pytest
import torch
from robovlms_samples import (
    ALOHA,
    COMBINATIONS,
    HISTORY,
    LIBERO,
    make_batch,
    make_observation,
    make_policy,
    make_statistics,
)

from ambidex.errors import UsageError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import load, save
from ambidex.policies.robovlms import policy as module
from ambidex.policies.robovlms.policy import RoboVlmsPolicy
from ambidex.policies.robovlms.windows import frame_at, frames_of, without_history, without_proprioception
from ambidex.policies.serving.fixed_batch import make_fixed_batch
from ambidex.policies.training.learner import trained_parameters
from ambidex.policies.vision_language.tokenizers import ByteTokenizer

every_combination = pytest.mark.parametrize(("structure", "head"), COMBINATIONS)
with_window = pytest.mark.parametrize(("structure", "head"), [c for c in COMBINATIONS if "one_step" not in c[0]])
pytestmark = pytest.mark.usefixtures("one_thread")


def losses(policy, batch, seed=0):
    """With the same draws of flow matching each time."""
    torch.manual_seed(seed)
    return policy.train().losses(batch)


def row_of(batch, row):
    """A batch of one sample."""
    if isinstance(batch, TrainingBatch):
        observation = row_of(batch.observation, row)
        at = slice(row, row + 1)
        return TrainingBatch(observation=observation, actions=batch.actions[at], is_pad=batch.is_pad[at])
    at = slice(row, row + 1)
    return dataclasses.replace(
        batch,
        qpos=batch.qpos[at],
        objects=batch.objects[at],
        images={camera: images[at] for camera, images in batch.images.items()},
        instructions=batch.instructions[at],
        valid=None if batch.valid is None else batch.valid[at],
    )


@every_combination
def test_every_trained_parameter_gets_a_gradient(structure, head):
    policy = make_policy(structure, head)
    losses(policy, make_batch(policy, 2))["loss"].backward()
    trained = trained_parameters(policy)
    assert trained
    assert not [name for name, each in trained.items() if each.grad is None or not each.grad.abs().sum() > 0]


LEARNT = {  # every structure and every head
    ("one_step_discrete", "discrete"),
    ("one_step_continuous", "fc"),
    ("interleaved_continuous", "flow"),
    ("policy_head_continuous", "lstm"),
    ("policy_head_continuous", "transformer"),
}


@pytest.mark.parametrize(
    ("structure", "head"), [pytest.param(*c, marks=() if c in LEARNT else pytest.mark.slow) for c in COMBINATIONS]
)
def test_one_batch_is_learnt(structure, head):
    policy = make_policy(structure, head, head_layers=1 if head == "transformer" else 2)
    batch = make_batch(policy, 2)
    first = losses(policy, batch)["loss"].item()
    optimizer = torch.optim.AdamW(trained_parameters(policy).values(), lr=3e-3, weight_decay=0.0)
    for _ in range(300):
        loss = losses(policy, batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.009 * first:
            break
    assert loss.item() < 0.01 * first


@every_combination
def test_predictions_are_finite_chunks_that_other_rows_do_not_change(structure, head):
    policy = make_policy(structure, head).eval()
    observation = make_observation(policy)
    before = torch.get_rng_state()
    chunk = policy.predict(observation)
    assert torch.equal(torch.get_rng_state(), before)  # nothing is drawn
    assert chunk.shape == (3, policy.chunk_size, 14) and chunk.dtype == torch.float32 and not chunk.requires_grad
    assert torch.isfinite(chunk).all() and torch.equal(chunk, policy.predict(observation))
    for row in range(3):
        assert torch.allclose(policy.predict(row_of(observation, row)), chunk[row : row + 1], atol=1e-5)


@every_combination
def test_what_is_padding_changes_no_loss(structure, head):
    policy = make_policy(structure, head)
    batch = make_batch(policy)
    changed = torch.where(batch.is_pad[..., None], torch.nan, batch.actions)
    assert batch.is_pad.any()
    found = losses(policy, dataclasses.replace(batch, actions=changed))
    assert torch.isfinite(found["loss"]) and torch.equal(found["loss"], losses(policy, batch)["loss"])


@with_window
def test_history_dropout_leaves_the_newest_observation_in_training_only(structure, head):
    policy, dropping = (make_policy(structure, head, history_dropout=share) for share in (0.0, 1.0))
    batch = make_batch(policy)
    newest = torch.zeros_like(batch.observation.valid)
    newest[:, -1] = True
    cut = dataclasses.replace(
        batch,
        observation=dataclasses.replace(batch.observation, valid=newest),
        is_pad=batch.is_pad | ~newest[..., None],
    )
    assert not torch.equal(losses(policy, cut)["loss"], losses(policy, batch)["loss"])
    torch.manual_seed(0)
    torch.rand(len(newest), 1)  # the draw of the windows
    expected = policy.train().losses(cut)
    assert torch.equal(losses(dropping, batch)["loss"], expected["loss"])
    assert torch.equal(dropping.eval().predict(batch.observation), policy.eval().predict(batch.observation))


@with_window
def test_proprioception_dropout_puts_the_mean_in_training_only(structure, head):
    policy, dropping = (
        make_policy(structure, head, proprioception=True, proprioception_dropout=share) for share in (0.0, 1.0)
    )
    batch = make_batch(policy)
    mean = policy._embodiment_of(batch.observation).qpos.mean.expand_as(batch.observation.qpos)
    cut = dataclasses.replace(batch, observation=dataclasses.replace(batch.observation, qpos=mean))
    assert not torch.equal(losses(policy, cut)["loss"], losses(policy, batch)["loss"])
    torch.manual_seed(0)
    torch.rand(len(mean), 1, 1)  # the draw of the windows
    expected = policy.train().losses(cut)
    assert torch.equal(losses(dropping, batch)["loss"], expected["loss"])
    assert torch.equal(dropping.eval().predict(batch.observation), policy.eval().predict(batch.observation))


def test_a_share_of_the_windows_loses_its_proprioception_as_a_whole():
    torch.manual_seed(0)
    qpos, mean = torch.ones(1000, 3, 2), torch.tensor([5.0, 6.0])
    changed = without_proprioception(qpos, mean, 0.4)
    lost = (changed == mean).all(dim=(1, 2))
    assert 350 < lost.sum() < 450
    assert torch.equal(changed[~lost], qpos[~lost])


def test_a_share_of_the_windows_loses_its_history():
    torch.manual_seed(0)
    valid = torch.tensor([[True, True, True], [False, True, True]]).repeat(500, 1)
    kept = without_history(valid, 0.9)
    lost = kept.sum(1) == 1
    assert 0.87 < lost.float().mean() < 0.93 and kept[:, -1].all()
    assert torch.equal(kept[~lost], valid[~lost])


def with_other_frames(policy, observation, where):
    """Other joint positions and images at the places (B, H) of the windows."""
    other = make_observation(policy, len(observation), seed=5)
    images = {
        camera: torch.where(where[..., None, None, None], other.images[camera], values)
        for camera, values in observation.images.items()
    }
    qpos = torch.where(where[..., None], 7.0, observation.qpos)
    return dataclasses.replace(observation, qpos=qpos, images=images)


@with_window
def test_missing_observations_change_nothing_and_others_do(structure, head):
    policy = make_policy(structure, head).eval()
    batch = make_batch(policy)
    valid = batch.observation.valid
    assert (~valid).any()
    chunk = policy.predict(batch.observation)
    without = with_other_frames(policy, batch.observation, ~valid)
    assert torch.allclose(policy.predict(without), chunk, atol=1e-6)
    assert torch.allclose(
        losses(policy, dataclasses.replace(batch, observation=without))["loss"], losses(policy, batch)["loss"]
    )
    older = valid & (torch.arange(HISTORY) < HISTORY - 1)
    policy.eval()
    changed = (policy.predict(with_other_frames(policy, batch.observation, older)) - chunk).abs().amax((1, 2))
    assert ((changed > 1e-6) == older.any(1)).all()


@with_window
def test_no_observation_sees_a_later_one(structure, head):
    """Only the actions after the newest observation depend on it."""
    policy = make_policy(structure, head)
    batch = make_batch(policy)
    newest = (torch.arange(HISTORY) == HISTORY - 1).expand(3, -1)
    masked = dataclasses.replace(batch, is_pad=batch.is_pad | newest[..., None])
    other = dataclasses.replace(masked, observation=with_other_frames(policy, batch.observation, newest))
    assert losses(policy, masked)["loss"] > 0
    assert torch.allclose(losses(policy, masked)["loss"], losses(policy, other)["loss"])


@pytest.mark.parametrize("head", ["lstm", "transformer", "flow"])
def test_encoded_frames_give_the_actions_of_images_bit_for_bit(head):
    policy = make_policy("policy_head_continuous", head).eval()
    observation = make_observation(policy)
    encoded = torch.stack([policy.encode_frames(frame_at(observation, i)) for i in range(HISTORY)], dim=1)
    cached = dataclasses.replace(observation, images={}, encoded_frames=encoded)
    assert torch.equal(policy.predict(cached), policy.predict(observation))
    assert make_policy("interleaved_continuous").encode_frames(frame_at(observation, 0)) is None


@pytest.mark.parametrize("structure", sorted({structure for structure, _ in COMBINATIONS}))
def test_a_checkpoint_gives_the_same_actions(structure, tmp_path):
    policy = make_policy(structure, binary_gripper=True, spec=LIBERO).eval()
    observation = make_observation(policy)
    save(tmp_path, policy, policy.config, [make_statistics(LIBERO)], step=1)
    loaded = load(tmp_path)
    assert torch.equal(loaded.predict(observation), policy.predict(observation))
    assert loaded.inputs == policy.inputs and loaded.spec == policy.spec


def test_a_checkpoint_keeps_its_tokenizer(tmp_path):
    policy = make_policy(spec=LIBERO).eval()
    trained = policy.text_model.tokenizer.to_json()
    policy.text_model.use_tokenizer(ByteTokenizer.train(["of other data, of other data"], 300))
    save(tmp_path, policy, policy.config, [make_statistics(LIBERO)], step=1)
    kept = load(tmp_path).text_model.tokenizer.to_json()
    assert kept == policy.text_model.tokenizer.to_json() != trained


@pytest.mark.parametrize("proprioception", [False, True])
def test_sequences_are_counted_to_the_position(proprioception):
    policy = make_policy("one_step_continuous", proprioception=proprioception)
    backbone = policy.structure.backbone
    backbone.context = backbone.longest_prompt(1) + proprioception + 1
    policy._check_lengths(with_prompts=True)
    backbone.context -= 1
    with pytest.raises(UsageError):
        policy._check_lengths(with_prompts=True)


def test_words_are_those_of_the_whole_sequence_and_each_position_is_computed_once():
    policy = make_policy("one_step_discrete").eval()
    for parameter in policy.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.2)  # with small weights all words are the same
    structure, head = policy.structure, policy.embodiments[policy.embodiment].tokens
    observation, counts = make_observation(policy), []
    hook = structure.backbone.text_tower.register_forward_pre_hook(lambda _, inputs: counts.append(inputs[0].shape[1]))
    chunk = policy.predict(observation)
    hook.remove()
    window = dataclasses.replace(observation, qpos=observation.qpos[:, None], objects=observation.objects[:, None])
    window = dataclasses.replace(window, images={name: each[:, None] for name, each in window.images.items()})
    embodiment = policy.embodiments[policy.embodiment]
    words = head.encode(embodiment.actions(chunk))
    with torch.no_grad():
        scores = structure.scores(structure.observed(frames_of(window), embodiment), words[:, :-1])
    assert torch.equal(scores.argmax(-1), words) and len(words.unique()) > 1
    assert counts[1:] == [1] * (head.length - 1)


@pytest.mark.parametrize("bins", [512, 769])
def test_more_bins_than_free_ids_are_refused_before_weights_exist(bins):
    with torch.device("meta"), pytest.raises(UsageError, match="--bins") as caught:
        make_policy("one_step_discrete", bins=bins)
    with torch.device("meta"):
        make_policy("one_step_discrete", bins=caught.value.facts["expected"])
        make_policy(bins=bins)


def test_words_are_validated_on_fewer_samples():
    assert make_policy("one_step_discrete").validation_samples < make_policy().validation_samples == 256


def test_flow_matching_starts_from_noise_of_the_request():
    policy = make_policy("one_step_continuous", "flow").eval()
    observation = make_observation(policy)
    twin = dataclasses.replace(observation, qpos=observation.qpos[:1].repeat(3, 1))
    images = {camera: images[:1].repeat(3, 1, 1, 1) for camera, images in twin.images.items()}
    chunk = policy.predict(dataclasses.replace(twin, images=images))
    assert torch.allclose(chunk[0], chunk[1], atol=1e-5)
    other = dataclasses.replace(twin, images=images, qpos=twin.qpos + torch.tensor([0.0, 1e-6, 0.0])[:, None])
    found = policy.predict(other)
    assert torch.equal(found[0], chunk[0]) and (found[1] - chunk[1]).abs().max() > 1e-3


def test_the_noise_of_flow_matching_depends_on_the_instruction():
    policy = make_policy("one_step_continuous", "flow", spec=LIBERO).eval()
    observation = make_observation(policy, 2)
    window = dataclasses.replace(observation, qpos=observation.qpos[:1].repeat(2, 1)[:, None])
    first, second = module._noise(window, 3, 7)
    assert window.instructions[0] != window.instructions[1] and not torch.equal(first, second)
    same = module._noise(dataclasses.replace(window, instructions=window.instructions[:1] * 2), 3, 7)
    assert torch.equal(same[0], same[1]) and torch.equal(same[0], first)


def test_only_flow_matching_draws_noise(monkeypatch):
    monkeypatch.setattr(module, "_noise", lambda *_: pytest.fail("noise is drawn"))
    for structure in ("one_step_continuous", "one_step_discrete"):
        policy = make_policy(structure).eval()
        assert policy.predict(make_observation(policy)).isfinite().all()


def test_the_instruction_and_the_proprioception_matter():
    policy = make_policy("one_step_continuous", spec=LIBERO).eval()
    observation = make_observation(policy, 2)
    chunk = policy.predict(observation)
    for changes in ({"instructions": observation.instructions[::-1]}, {"qpos": observation.qpos + 1}):
        assert (policy.predict(dataclasses.replace(observation, **changes)) - chunk).abs().max() > 1e-6
    blind = make_policy("one_step_continuous", spec=LIBERO, proprioception=False).eval()
    moved = dataclasses.replace(observation, qpos=observation.qpos + 1)
    assert torch.equal(blind.predict(observation), blind.predict(moved))


@pytest.mark.parametrize(("structure", "head"), [("one_step_discrete", "discrete"), ("one_step_continuous", "fc")])
def test_the_gripper_of_libero_opens_or_closes(structure, head):
    policy = make_policy(structure, head, spec=LIBERO).eval()
    batch = make_batch(policy)
    assert set(policy.predict(batch.observation)[..., 6].unique().tolist()) <= {-1, 1}
    assert ("gripper" in losses(policy, batch)) == (head == "fc")
    assert losses(policy, batch).get("gripper", 1) > 0


def test_the_loss_has_the_weighted_terms():
    for weight in (0.0, 0.5):
        policy = make_policy("one_step_continuous", spec=LIBERO, gripper_weight=weight)
        found = losses(policy, make_batch(policy))
        assert found["loss"].item() == pytest.approx((found["pose"] + weight * found["gripper"]).item())


def test_evaluation_mode_gives_the_same_losses_each_time():
    policy = make_policy("one_step_continuous", "flow")
    batch = make_batch(policy)
    policy.eval()
    with torch.no_grad():
        assert torch.equal(policy.losses(batch)["loss"], policy.losses(batch)["loss"])
    assert not torch.equal(losses(policy, batch, 0)["loss"], losses(policy, batch, 1)["loss"])


def test_it_can_be_built_without_memory():
    with torch.device("meta"):
        policy = make_policy()
    assert all(each.is_meta for each in policy.parameters())
    assert isinstance(policy, RoboVlmsPolicy) and policy.specs == (ALOHA,)


@pytest.mark.parametrize(
    ("structure", "head"),
    [
        ("one_step_continuous", "flow"),
        ("one_step_discrete", "discrete"),
        ("interleaved_continuous", "lstm"),
        ("policy_head_continuous", "flow"),
    ],
)
def test_answers_of_a_server_are_repeatable_and_independent(structure, head):
    policy = make_policy(structure, head, spec=LIBERO).eval()
    assert make_fixed_batch(policy, torch.device("cpu"), batch_size=3)[1] == ()
