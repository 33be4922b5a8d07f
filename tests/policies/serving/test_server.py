import errno
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from multiprocessing.connection import Listener
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy_policy import CodedToyPolicy, FailingPolicy, ToyPolicy, observation, toy_spec

from ambidex.envs.types import NO_CODE
from ambidex.policies.messages import ObservationMessage, PolicyInputs
from ambidex.policies.serving.client import PolicyClient, PolicyServerError
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.server import PolicyServer, describe

CPU = torch.device("cpu")
SPEC = toy_spec()


@pytest.fixture
def policy():
    return ToyPolicy(SPEC, objects=True).eval()


def connect(server):
    return PolicyClient(server.address, server.authkey)


def predicted(policy, observation):
    message = ObservationMessage.of(observation, policy.inputs)
    return FixedBatch(policy, CPU, 1).answer([message])[0].actions


def test_a_message_holds_the_policys_inputs_and_no_other_camera_is_rendered():
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


@pytest.mark.parametrize("threads", [1, 3])
def test_many_clients_at_once_get_the_same_bits_as_one(policy, threads):
    expected = [predicted(policy, observation(seed)) for seed in range(30)]
    with PolicyServer() as server:
        server.serve(policy, CPU, threads=threads)

        def worker(first):
            client = connect(server)
            return {seed: client.predict(observation(seed)).actions for seed in range(first, 30, 6)}

        with ThreadPoolExecutor(6) as pool:
            got = {seed: chunk for part in pool.map(worker, range(6)) for seed, chunk in part.items()}
    for seed in range(30):
        np.testing.assert_array_equal(got[seed], expected[seed])


def test_queued_requests_share_a_forward_pass_and_each_client_gets_its_own_answer(policy, monkeypatch):
    batch, released, sizes = FixedBatch(policy, CPU, 4), threading.Event(), []
    expected = [batch.answer([ObservationMessage.of(observation(seed), policy.inputs)])[0] for seed in range(6)]
    answer = batch.try_answer

    def gated(messages):
        sizes.append(len(messages))
        assert released.wait(10)
        return answer(messages)

    batch.try_answer = gated
    monkeypatch.setattr("ambidex.policies.serving.batcher.make_fixed_batch", lambda *made: (batch, ()))
    with PolicyServer() as server, ThreadPoolExecutor(6) as pool:
        server.serve(policy, CPU)
        clients = [connect(server) for _ in range(6)]
        first = pool.submit(clients[0].predict, observation(0))
        wait_until(lambda: sizes == [1])
        others = [pool.submit(clients[seed].predict, observation(seed)) for seed in range(1, 6)]
        wait_until(lambda: server._batcher._requests.qsize() == 5)
        released.set()
        got = [chunk.result(timeout=10).actions for chunk in (first, *others)]
    assert sizes == [1, 4, 1]
    for actions, chunk in zip(got, expected, strict=True):
        np.testing.assert_allclose(actions, chunk.actions, atol=1e-6)
    assert min(np.abs(a - b).max() for a, b in combinations(got, 2)) > 0.01


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_chunk_arrives_with_its_code(policy):
    coded = CodedToyPolicy(SPEC, objects=True).eval()
    message = ObservationMessage.of(observation(1), coded.inputs)
    code = FixedBatch(coded, CPU, 1).answer([message])[0].code
    for served, expected in ((coded, code), (policy, NO_CODE)):
        with PolicyServer() as server:
            server.serve(served, CPU)
            assert connect(server).predict(observation(1)).code == expected


def test_a_request_is_answered_while_other_clients_are_idle(policy):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        idle = connect(server)
        assert connect(server).predict(observation(1)).actions.shape == (50, 14)
        assert not idle.unavailable


def test_clients_may_connect_before_there_is_a_policy(policy):
    with PolicyServer() as server, ThreadPoolExecutor(1) as pool:
        early = pool.submit(connect, server)
        server.serve(policy, CPU)
        served = early.result(timeout=10).policy
    assert (served.name, served.spec, served.inputs) == ("act", SPEC, policy.inputs)
    assert (served.chunk_size, served.execute_steps) == (50, None)


@pytest.mark.parametrize(("configured", "served"), [(20, 20), (80, 50), (0, None), (None, None)])
def test_the_handshake_has_the_policys_own_execute_steps(policy, configured, served):
    policy.config = SimpleNamespace(execute_steps=configured)
    assert describe(policy).execute_steps == served


def test_a_request_that_raises_gets_an_error_and_the_next_one_an_answer():
    with PolicyServer() as server:
        server.serve(FailingPolicy(SPEC), CPU)
        client = connect(server)
        with pytest.raises(PolicyServerError, match="ValueError: this is no arm"):
            client.predict(observation(1, qpos=np.full(14, 10.0)))
        assert np.isfinite(client.predict(observation(1)).actions).all()
        assert not client.unavailable


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, torch.AcceleratorError])
def test_an_error_of_the_machine_makes_the_server_unavailable(policy, error):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        client = connect(server)

        def predict(batch):
            raise error("no memory left")

        policy.predict = predict
        with pytest.raises(PolicyServerError, match="no memory left"):
            client.predict(observation(1))
        assert client.unavailable
        assert "raise error(" in server.first_failure


def test_if_accepting_fails_no_client_waits_forever(policy, monkeypatch):
    def accept(self):
        raise OSError(errno.EMFILE, "too many open files")

    with PolicyServer() as server, ThreadPoolExecutor(1) as pool:
        early = pool.submit(connect, server)
        monkeypatch.setattr(Listener, "accept", accept)
        server.serve(policy, CPU)
        with pytest.raises(PolicyServerError):
            early.result(timeout=10)
        assert "too many open files" in server.first_failure


def test_the_number_of_threads_is_fixed_while_serving_and_restored(policy):
    used = []
    forward = policy.predict
    policy.predict = lambda batch: used.append(torch.get_num_threads()) or forward(batch)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with PolicyServer() as server:
            server.serve(policy, CPU)
            connect(server).predict(observation(0))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert set(used) == {1}


def test_a_wrong_key_or_address_raises_and_other_clients_are_served(policy, tmp_path):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        with pytest.raises(PolicyServerError, match="its key"):
            PolicyClient(server.address, b"wrong")
        assert connect(server).predict(observation(0)) is not None
    nowhere = str(tmp_path / "nothing")
    with pytest.raises(PolicyServerError) as caught:
        PolicyClient(nowhere, b"key")
    assert caught.value.facts["address"] == nowhere


def test_a_client_raises_if_the_server_is_gone(policy):
    server = PolicyServer()
    server.serve(policy, CPU)
    client = connect(server)
    server.close()
    with pytest.raises(PolicyServerError, match="gone"):
        client.predict(observation(0))
    assert client.unavailable


def test_closing_ends_all_threads(policy):
    before = set(threading.enumerate())
    with PolicyServer() as server:
        server.serve(policy, CPU, threads=2)
        connect(server).predict(observation(0))
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before:  # one may not have begun yet, so that it cannot be joined
        assert time.monotonic() < deadline
        time.sleep(0.01)
    server.close()


@pytest.mark.parametrize("before_it_serves", [True, False])
def test_a_connection_that_says_nothing_holds_up_neither_clients_nor_closing(policy, before_it_serves):
    with PolicyServer() as server, closing(socket.socket(socket.AF_UNIX)) as silent:
        if before_it_serves:
            silent.connect(server.address)
        server.serve(policy, CPU)
        if not before_it_serves:
            silent.connect(server.address)
        assert connect(server).predict(observation(0)) is not None
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 2


def test_a_connection_that_does_not_authenticate_in_time_is_closed(policy, monkeypatch):
    monkeypatch.setattr("ambidex.policies.serving.server.AUTHENTICATION_S", 0.05)
    with PolicyServer() as server, closing(socket.socket(socket.AF_UNIX)) as silent:
        server.serve(policy, CPU)
        silent.connect(server.address)
        silent.settimeout(5)
        while silent.recv(1024):  # the challenge, then the end
            pass


def test_a_client_that_reads_no_answers_does_not_hold_up_closing(policy):
    with PolicyServer() as server:
        server.serve(policy, CPU)
        client = connect(server)
        message = ObservationMessage.of(observation(0), policy.inputs)
        for _ in range(300):
            client._connection.send(message)
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 4


def test_closing_ends_if_no_thread_accepts_any_more(policy, monkeypatch):
    """The accept loop ends right after it accepts a client, so that no thread accepts the connection that wakes it."""
    server = PolicyServer()
    accept = server._listener.accept

    def accept_last():
        connection = accept()
        server._closing.wait(10)
        return connection

    monkeypatch.setattr(server._listener, "accept", accept_last)
    server.serve(policy, CPU)
    with ThreadPoolExecutor() as pool:
        client = pool.submit(connect, server)
        closing = threading.Thread(target=server.close, daemon=True)
        threading.Timer(0.5, closing.start).start()
        client.exception(10)  # it may have got the handshake before the end, or not
        closing.join(10)
    assert not closing.is_alive()


def test_a_server_can_be_reached_over_the_network(policy):
    with PolicyServer(("127.0.0.1", 0), b"secret") as server:
        server.serve(policy, CPU)
        client = PolicyClient(server.address, b"secret")
        np.testing.assert_array_equal(client.predict(observation(2)).actions, predicted(policy, observation(2)))


def test_clients_and_the_listening_socket_need_no_torch():
    code = (
        "import sys, ambidex.policies.serving.client, ambidex.policies.serving.execution;"
        "from ambidex.policies.serving.server import PolicyServer; PolicyServer().close();"
        "import ambidex.benchmarks.evaluation.worker, ambidex.benchmarks.evaluation.agents;"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False\n", result.stderr
