import numpy as np
import pytest
import torch
from history_policy import EncodingPolicy
from toy_policy import (
    CodedToyPolicy,
    FailingPolicy,
    NeighbourDependentPolicy,
    RandomPolicy,
    RowDependentPolicy,
    ToyPolicy,
    observation,
    toy_spec,
)

from ambidex.policies.messages import ObservationMessage
from ambidex.policies.serving.client import ErrorReply
from ambidex.policies.serving.fixed_batch import (
    GPU_BATCH_SIZE,
    FixedBatch,
    collate,
    make_fixed_batch,
    random_message,
)

CPU = torch.device("cpu")
SPEC = toy_spec()


@pytest.fixture
def policy():
    return ToyPolicy(SPEC, objects=True).eval()


def test_images_reach_the_policy_with_channels_first_and_upright(policy):
    batches = []
    policy.predict = lambda batch: batches.append(batch) or torch.zeros(len(batch), 50, 14)
    FixedBatch(policy, CPU, 1).answer([ObservationMessage.of(observation(3), policy.inputs)])
    image = observation(3).image("top")
    np.testing.assert_array_equal(batches[0].images["top"][0].permute(1, 2, 0).numpy(), image)
    assert batches[0].images["top"].is_contiguous(memory_format=torch.channels_last)
    assert batches[0].instructions == ("",)


def test_each_chunk_has_its_own_code():
    coded = CodedToyPolicy(SPEC, objects=True).eval()
    messages = [ObservationMessage.of(observation(seed), coded.inputs) for seed in range(3)]
    chunks = FixedBatch(coded, CPU, 4).answer(messages)
    _, codes = coded.predict_with_codes(collate(messages))
    assert [chunk.code for chunk in chunks] == codes.tolist() and len(set(codes.tolist())) > 1


def test_only_the_request_that_raises_gets_an_error():
    policy = FailingPolicy(SPEC).eval()
    observations = [observation(seed, qpos=np.full(14, 10.0) if seed == 1 else np.zeros(14)) for seed in range(3)]
    replies = FixedBatch(policy, CPU, 4).try_answer([ObservationMessage.of(o, policy.inputs) for o in observations])
    assert [isinstance(reply, ErrorReply) for reply in replies] == [False, True, False]


def test_free_batch_slots_repeat_the_last_request(policy):
    sizes = []
    forward = policy.predict
    policy.predict = lambda batch: sizes.append(len(batch)) or forward(batch)
    messages = [random_message(policy, seed) for seed in range(4)]
    batch = FixedBatch(policy, CPU, 4)
    for count in (1, 2, 4):
        assert len(batch.answer(messages[:count])) == count
    assert sizes == [4, 4, 4]


@pytest.mark.parametrize(
    ("kind", "size", "note"),
    [
        (ToyPolicy, 1, ""),
        (NeighbourDependentPolicy, 4, "other requests"),
        (RowDependentPolicy, 4, "other requests"),
        (RandomPolicy, 4, "differently each time"),
    ],
)
def test_a_policy_is_tested_before_it_is_served(kind, size, note):
    batch, notes = make_fixed_batch(kind(SPEC).eval(), CPU, size)
    assert note in " ".join(notes) and bool(notes) == bool(note)
    assert batch.batch_size == (4 if kind is RandomPolicy else 1)


def test_a_code_that_depends_on_the_row_is_noticed():
    class Sorting(CodedToyPolicy):
        def predict_with_codes(self, observation):
            actions, codes = super().predict_with_codes(observation)
            return 0 * actions, torch.arange(len(codes))

    batch, notes = make_fixed_batch(Sorting(SPEC).eval(), CPU, 4)
    assert batch.batch_size == 1 and notes


def test_the_batch_size_stays_if_answers_do_not_depend_on_rows():
    class Constant(ToyPolicy):
        def predict(self, observation):
            return observation.qpos[:, None].repeat(1, 50, 1)

    batch, notes = make_fixed_batch(Constant(SPEC).eval(), CPU, 4)
    assert batch.batch_size == 4 and not notes


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [ToyPolicy, EncodingPolicy])
def test_on_a_gpu_rows_are_shared_and_answers_do_not_depend_on_it(kind):
    device, policy = torch.device("cuda"), kind(SPEC, objects=True).eval()
    batch, notes = make_fixed_batch(policy.to(device), device)
    assert (batch.batch_size, notes) == (GPU_BATCH_SIZE, ())
    assert batch.is_independent() and batch.is_repeatable()
