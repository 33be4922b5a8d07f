import errno
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Listener
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy_policy import CodedToyPolicy, CrowdPolicy, FussyPolicy, MoodyPolicy, QueuePolicy, ToyPolicy, toy_spec

from ambidex.envs.types import NO_CODE, Observation
from ambidex.policies.messages import ObservationMessage, PolicyInputs
from ambidex.policies.serving.client import ErrorReply, PolicyClient, PolicyServerError
from ambidex.policies.serving.fixed_batch import GPU_BATCH_SIZE, FixedBatch, collate, make_fixed_batch, random_message
from ambidex.policies.serving.server import PolicyServer, describe

CPU = torch.device("cpu")
SPEC = toy_spec()


@pytest.fixture
def policy():
    return ToyPolicy(SPEC, objects=True).eval()


def observation(seed, rendered=None, **changes):
    """What an environment would show; `rendered` collects the cameras that were asked for."""
    rng = np.random.default_rng(seed)

    def render(state, camera):
        if rendered is not None:
            rendered.append(camera)
        return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)

    values = {
        "time": 0.0,
        "state": rng.normal(size=5),
        "qpos": rng.normal(size=14),
        "qvel": rng.normal(size=14),
        "objects": rng.normal(size=14),
        "instruction": "do it",
        "camera_names": ("top", "left_wrist"),
        "render": render,
    }
    return Observation(**{**values, **changes})


def predicted(policy, seen):
    message = ObservationMessage.of(seen, policy.inputs)
    return FixedBatch(policy, CPU, 1).answer([message])[0].actions


def test_a_message_holds_what_the_policy_looks_at_and_no_other_camera_is_rendered():
    rendered = []
    inputs = PolicyInputs(cameras=("left_wrist",), objects=False, instruction=True)
    message = ObservationMessage.of(observation(0, rendered), inputs)
    assert rendered == ["left_wrist"] and list(message.images) == ["left_wrist"]
    assert message.qpos.dtype == message.objects.dtype == np.float32
    assert not message.objects.any() and message.objects.shape == (14,)
    assert message.instruction == "do it"
    other = ObservationMessage.of(observation(0), replace(inputs, objects=True, instruction=False, cameras=()))
    np.testing.assert_array_equal(other.objects, observation(0).objects.astype(np.float32))
    assert other.instruction == "" and not other.images


def test_images_reach_the_policy_upright_by_channel(policy):
    seen = []
    policy.predict = lambda batch: seen.append(batch) or torch.zeros(len(batch), 50, 14)
    predicted(policy, observation(3))
    image = observation(3).image("top")
    np.testing.assert_array_equal(seen[0].images["top"][0].permute(1, 2, 0).numpy(), image)
    assert seen[0].images["top"].is_contiguous(memory_format=torch.channels_last)
    assert seen[0].instructions == ("",)


@pytest.mark.parametrize("threads", [1, 3])
def test_many_clients_at_once_get_the_bits_that_one_gets(policy, threads):
    expected = [predicted(policy, observation(seed)) for seed in range(30)]
    with PolicyServer() as server:
        server.serve(policy, CPU, threads=threads)

        def worker(first):
            client = PolicyClient(server.address, server.authkey)
            return {seed: client.predict(observation(seed)).actions for seed in range(first, 30, 6)}

        with ThreadPoolExecutor(6) as pool:
            got = {seed: chunk for part in pool.map(worker, range(6)) for seed, chunk in part.items()}
    for seed in range(30):
        np.testing.assert_array_equal(got[seed], expected[seed])


def test_a_code_goes_with_its_chunk(policy):
    coded = CodedToyPolicy(SPEC, objects=True).eval()
    messages = [ObservationMessage.of(observation(seed), coded.inputs) for seed in range(3)]
    chunks = FixedBatch(coded, CPU, 4).answer(messages)
    _, codes = coded.predict_with_codes(collate(messages))
    assert [chunk.code for chunk in chunks] == codes.tolist() and len(set(codes.tolist())) > 1
    for served, code in ((coded, codes[1]), (policy, NO_CODE)):
        with PolicyServer() as server:
            server.serve(served, CPU)
            assert PolicyClient(server.address, server.authkey).predict(observation(1)).code == code


def test_a_code_that_depends_on_the_row_is_noticed():
    class Sorting(CodedToyPolicy):
        def predict_with_codes(self, observation):
            actions, codes = super().predict_with_codes(observation)
            return 0 * actions, torch.arange(len(codes))

    batch, notes = make_fixed_batch(Sorting(SPEC).eval(), CPU, 4)
    assert batch.batch_size == 1 and "other requests" in notes[0]


def test_a_request_is_answered_though_others_stay_silent(policy):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        silent = PolicyClient(server.address, server.authkey)
        assert PolicyClient(server.address, server.authkey).predict(observation(1)).actions.shape == (50, 14)
        assert not silent.unavailable


def test_clients_may_knock_before_there_is_a_policy(policy):
    with PolicyServer() as server, ThreadPoolExecutor(1) as threads:
        early = threads.submit(PolicyClient, server.address, server.authkey)
        server.serve(policy, CPU)
        served = early.result(timeout=10).policy
    assert (served.name, served.spec, served.inputs) == ("act", SPEC, policy.inputs)
    assert (served.chunk_size, served.execute_steps) == (50, None)


@pytest.mark.parametrize(("says", "told"), [(20, 20), (80, 50), (0, None), (None, None)])
def test_clients_hear_how_much_of_a_chunk_to_play(policy, says, told):
    policy.config = SimpleNamespace(execute_steps=says)
    assert describe(policy).execute_steps == told


def test_a_request_that_breaks_is_refused_and_the_next_is_answered():
    with PolicyServer() as server:
        server.serve(FussyPolicy(SPEC), CPU)
        client = PolicyClient(server.address, server.authkey)
        with pytest.raises(PolicyServerError, match="ValueError: this is no arm"):
            client.predict(observation(1, qpos=np.full(14, 10.0)))
        assert np.isfinite(client.predict(observation(1)).actions).all()
        assert not client.unavailable


@pytest.mark.parametrize("fault", [MemoryError, torch.OutOfMemoryError, torch.AcceleratorError])
def test_a_fault_of_the_machine_is_the_server_s_and_not_the_request_s(policy, fault):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        client = PolicyClient(server.address, server.authkey)

        def predict(batch):
            raise fault("no memory left")

        policy.predict = predict
        with pytest.raises(PolicyServerError, match="no memory left"):
            client.predict(observation(1))
        assert "machine failed" in client.unavailable
        assert "raise fault(" in server.first_failure


def test_a_door_that_breaks_leaves_nobody_waiting(policy, monkeypatch):
    def accept(self):
        raise OSError(errno.EMFILE, "too many open files")

    with PolicyServer() as server, ThreadPoolExecutor(1) as threads:
        early = threads.submit(PolicyClient, server.address, server.authkey)
        monkeypatch.setattr(Listener, "accept", accept)
        server.serve(policy, CPU)
        with pytest.raises(PolicyServerError, match="cannot be reached"):
            early.result(timeout=10)
        assert "too many open files" in server.first_failure


def test_in_a_batch_only_the_request_at_fault_is_refused():
    policy = FussyPolicy(SPEC).eval()
    seen = [observation(seed, qpos=np.full(14, 10.0) if seed == 1 else np.zeros(14)) for seed in range(3)]
    batch = FixedBatch(policy, CPU, 4)
    got = batch.try_answer([ObservationMessage.of(o, policy.inputs) for o in seen])
    assert [isinstance(answer, ErrorReply) for answer in got] == [False, True, False]


def test_a_free_row_repeats_the_last_request(policy):
    sizes = []
    forward = policy.predict
    policy.predict = lambda batch: sizes.append(len(batch)) or forward(batch)
    messages = [random_message(policy, seed) for seed in range(4)]
    batch = FixedBatch(policy, CPU, 4)
    for count in (1, 2, 4):
        assert len(batch.answer(messages[:count])) == count
    assert sizes == [4, 4, 4]


@pytest.mark.parametrize(
    ("kind", "size", "says"),
    [
        (ToyPolicy, 1, ""),
        (CrowdPolicy, 4, "other requests"),
        (QueuePolicy, 4, "other requests"),
        (MoodyPolicy, 4, "differently each time"),
    ],
)
def test_a_policy_is_tried_out_before_it_is_served(kind, size, says):
    batch, notes = make_fixed_batch(kind(SPEC).eval(), CPU, size)
    assert says in " ".join(notes) and bool(notes) == bool(says)
    assert batch.batch_size == (4 if kind is MoodyPolicy else 1)


def test_rows_that_do_not_matter_keep_their_lanes():
    class Constant(ToyPolicy):
        def predict(self, observation):
            return observation.qpos[:, None].repeat(1, 50, 1)

    batch, notes = make_fixed_batch(Constant(SPEC).eval(), CPU, 4)
    assert batch.batch_size == 4 and not notes


def test_the_number_of_threads_is_fixed_while_serving_and_given_back(policy):
    used = []
    forward = policy.predict
    policy.predict = lambda batch: used.append(torch.get_num_threads()) or forward(batch)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with PolicyServer() as server:
            server.serve(policy, CPU)
            PolicyClient(server.address, server.authkey).predict(observation(0))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert set(used) == {1}


def test_the_wrong_key_and_a_wrong_address_are_refused_and_others_served(policy, tmp_path):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        with pytest.raises(PolicyServerError, match="its key"):
            PolicyClient(server.address, b"wrong")
        assert PolicyClient(server.address, server.authkey).predict(observation(0)) is not None
    with pytest.raises(PolicyServerError, match="cannot be reached"):
        PolicyClient(str(tmp_path / "nobody"), b"key")


def test_a_client_hears_that_the_server_is_gone(policy):
    server = PolicyServer()
    server.serve(policy, CPU)
    client = PolicyClient(server.address, server.authkey)
    server.close()
    with pytest.raises(PolicyServerError, match="gone"):
        client.predict(observation(0))
    assert client.unavailable


def test_closing_ends_all_threads(policy):
    before = set(threading.enumerate())
    with PolicyServer() as server:
        server.serve(policy, CPU, threads=2)
        client = PolicyClient(server.address, server.authkey)
        client.predict(observation(0))
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    server.close()


def test_a_server_can_be_reached_over_the_network(policy):
    with PolicyServer(("127.0.0.1", 0), b"secret") as server:
        server.serve(policy, CPU)
        client = PolicyClient(server.address, b"secret")
        np.testing.assert_array_equal(client.predict(observation(2)).actions, predicted(policy, observation(2)))


@pytest.mark.gpu
def test_on_a_gpu_rows_are_shared_and_answers_do_not_depend_on_it(policy):
    device = torch.device("cuda")
    batch, notes = make_fixed_batch(policy.to(device), device)
    assert (batch.batch_size, notes) == (GPU_BATCH_SIZE, ())
    assert batch.is_independent() and batch.is_repeatable()


def test_neither_clients_nor_the_door_need_torch():
    code = (
        "import sys, ambidex.policies.serving.client, ambidex.policies.serving.execution, ambidex.policies.serving.execution;"
        "from ambidex.policies.serving.server import PolicyServer; PolicyServer().close();"
        "import ambidex.benchmarks.evaluation.worker, ambidex.benchmarks.evaluation.agents;"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False\n", result.stderr
