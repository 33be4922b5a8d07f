"""Conversations over real sockets."""

import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import numpy as np
import pytest
import torch
from toy_policy import FailingPolicy, ToyPolicy, observation, toy_spec
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from ambidex.errors import RemoteConnectionError, UsageError
from ambidex.policies.messages import ObservationMessage
from ambidex.policies.remote import API_KEY, policy_server
from ambidex.policies.remote.array_codec import pack, unpack
from ambidex.policies.remote.client import RemotePolicy, RemoteServer
from ambidex.policies.remote.policy_server import RemotePolicyServer
from ambidex.policies.serving.batcher import RequestBatcher
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.server import describe

CPU = torch.device("cpu")


@contextmanager
def serving(policy, **options):
    batcher = RequestBatcher(policy, CPU, threads=2)
    try:
        with RemotePolicyServer(describe(policy), batcher.predict, **options) as server:
            yield server
    finally:
        batcher.close()


@pytest.fixture(scope="module")
def policy():
    return ToyPolicy(toy_spec(), objects=True).eval()


@pytest.fixture(scope="module")
def server(policy):
    with serving(policy) as server:
        yield server


@contextmanager
def connected(server, **options):
    with connect(server.address, compression=None, **options) as connection:
        connection.metadata = unpack(connection.recv(10))
        yield connection


def request(policy, seed):
    message = ObservationMessage.of(observation(seed), policy.inputs)
    return {"qpos": message.qpos, "objects": message.objects, "images": dict(message.images)}


def ask(connection, request):
    connection.send(pack(request))
    return unpack(connection.recv(10))


def test_a_conversation_has_the_bits_of_the_policy(server, policy):
    with connected(server) as connection:
        assert connection.metadata["policy"] == "act"
        for seed in range(3):
            answer = ask(connection, request(policy, seed))
            message = ObservationMessage.of(observation(seed), policy.inputs)
            expected = FixedBatch(policy, CPU, 1).answer([message])[0].actions
            np.testing.assert_array_equal(answer["actions"], expected)
            assert answer["actions"].dtype == np.float32
            assert 0 < answer["policy_timing"]["infer_ms"] <= answer["server_timing"]["infer_ms"]
            assert ("prev_total_ms" in answer["server_timing"]) == (seed > 0)


def test_many_clients_at_once_get_their_own_answers(server, policy):
    def client(first):
        with connected(server) as connection:
            return {seed: ask(connection, request(policy, seed))["actions"] for seed in range(first, 24, 6)}

    with ThreadPoolExecutor(6) as pool:
        got = {seed: actions for part in pool.map(client, range(6)) for seed, actions in part.items()}
    for seed, actions in got.items():
        message = ObservationMessage.of(observation(seed), policy.inputs)
        np.testing.assert_array_equal(actions, FixedBatch(policy, CPU, 1).answer([message])[0].actions)


@pytest.mark.parametrize("frame", ["text", b"", b"\xc1", pack({}), pack({"qpos": np.zeros(3)}), b"\x91" * 5000])
def test_a_bad_request_gets_a_traceback_and_then_the_end(server, policy, frame):
    with connected(server) as connection:
        connection.send(frame)
        text = connection.recv(10)
        assert isinstance(text, str) and text.splitlines()[-1].startswith("ambidex.")
        with pytest.raises(ConnectionClosedError) as info:
            connection.recv(10)
    assert info.value.rcvd.code == 1011
    with connected(server) as connection:
        assert ask(connection, request(policy, 0))["actions"].shape == (50, 14)


def test_a_failing_policy_sends_its_own_traceback():
    failing = FailingPolicy(toy_spec())
    reports = []
    with serving(failing, report=reports.append) as server, connected(server) as connection:
        values = {"qpos": np.full(14, 10.0), "images": {"top": observation(0).image("top")}}
        connection.send(pack(values))
        assert 'raise ValueError("this is no arm")' in connection.recv(10)
    assert reports == ["ValueError: this is no arm"]


def test_a_message_over_the_limit_ends_the_connection_only(server, policy, monkeypatch):
    monkeypatch.setattr(policy_server, "MAX_MESSAGE", 10_000)
    with serving(policy) as small, connected(small) as connection:
        connection.send(bytes(10_001))
        with pytest.raises(ConnectionClosedError) as info:
            connection.recv(10)
        assert info.value.rcvd.code == 1009
        with connected(small) as other:
            assert ask(other, request(policy, 0))


def test_health_is_answered_and_web_pages_are_refused(server):
    url = server.address.replace("ws", "http", 1) + "/healthz"
    with urllib.request.urlopen(url) as response:
        assert (response.status, response.read()) == (200, b"OK\n")
    with pytest.raises(InvalidStatus) as info, connected(server, origin="http://example.com"):
        pass
    assert info.value.response.status_code == 403


@pytest.mark.parametrize("value", ["Api-Key sécret", "Bearer sécret"])
def test_a_key_admits(policy, value):
    with serving(policy, api_key="sécret") as server:
        for wrong in ({}, {"Authorization": "Api-Key secret"}, {"Authorization": "sécret"}):
            with pytest.raises(InvalidStatus) as info, connected(server, additional_headers=wrong):
                pass
            assert info.value.response.status_code == 401
        with connected(server, additional_headers={"Authorization": value}) as connection:
            assert connection.metadata


@pytest.mark.parametrize("key", ["wrong", ""])
def test_our_client_says_whether_its_key_is_wrong_or_missing(policy, monkeypatch, key):
    monkeypatch.setenv(API_KEY, key)
    with serving(policy, api_key="secret") as server, pytest.raises(RemoteConnectionError) as info:
        RemotePolicy(RemoteServer(url=server.address)).start_episode("")
    assert info.value.facts["got"] == 401 and API_KEY in info.value.hint
    assert ("not accept" in info.value.hint) == bool(key)


def test_closing_ends_conversations_and_does_not_wait_for_silent_clients(policy, monkeypatch):
    monkeypatch.setattr(policy_server, "HANDSHAKE_S", 0.3)
    with (
        serving(policy) as server,
        closing(socket.create_connection(("127.0.0.1", server.port))),
        connected(server) as connection,
    ):
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 2
        with pytest.raises(ConnectionClosed) as info:
            connection.recv(10)
        assert info.value.rcvd.code == 1001


def test_wrong_addresses_are_wrong_usage(server, policy):
    for options in ({"port": server.port}, {"port": 70_000}, {"host": "192.0.2.1"}):
        with pytest.raises(UsageError), serving(policy, **options):
            pass
