import socket
import threading
import time

import numpy as np
import pytest
from fake_policy_server import FakePolicyServer, HangUpError

from ambidex.errors import RemoteConnectionError, RemotePolicyError
from ambidex.policies.remote import client
from ambidex.policies.remote.array_codec import pack
from ambidex.policies.remote.client import RemotePolicy, RemoteServer

REQUEST = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}
TRACEBACK = 'Traceback (most recent call last):\n  File "p.py", line 3\nValueError: no such prompt'


@pytest.fixture
def connect():
    """Connects to a fake server, and closes both."""
    opened = []

    def connect_to(answer=None, timeout_s=5.0, **options):
        server = FakePolicyServer(answer, **options)
        policy = RemotePolicy(RemoteServer(url=server.url, timeout_s=timeout_s))
        opened.append((server, policy))
        policy.start_episode("an id")
        return server, policy

    yield connect_to
    for server, policy in opened:
        policy.close()
        server.__exit__()


def test_it_sends_what_it_is_given_and_returns_what_comes_back(connect):
    server, policy = connect(greeting=pack({"name": "pi0"}))
    answer = policy.infer(REQUEST)
    np.testing.assert_array_equal(answer.content["actions"], REQUEST["x"])
    assert policy.metadata == {"name": "pi0"} and list(server.requests[0]) == ["x"]
    assert answer.request_ms > 0 and answer.infer_ms is None


@pytest.mark.parametrize(("infer_ms", "expected"), [(12, 12.0), (1.5, 1.5), ("12", None), (float("nan"), None)])
def test_it_reads_the_time_that_the_server_says(connect, infer_ms, expected):
    _, policy = connect(lambda request, number: {"server_timing": {"infer_ms": infer_ms}})
    assert policy.infer(REQUEST).infer_ms == expected


def test_a_text_is_the_error_of_the_policy_and_the_next_request_has_a_new_connection(connect):
    server, policy = connect(lambda request, number: TRACEBACK if number == 0 else {"actions": REQUEST["x"]})
    with pytest.raises(RemotePolicyError) as caught:
        policy.infer(REQUEST)
    assert str(caught.value).splitlines()[0].endswith("ValueError: no such prompt") and TRACEBACK in str(caught.value)
    assert policy.unavailable is None
    policy.infer(REQUEST)
    assert len(server.headers) == 2


@pytest.mark.parametrize("text", ["", "hello", "\x1b[2J" * 9000])
def test_any_text_is_an_error_of_the_policy_and_shortened(connect, text):
    _, policy = connect(lambda request, number: text)
    with pytest.raises(RemotePolicyError) as caught:
        policy.infer(REQUEST)
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("code", [None, 1000, 1011])
def test_a_lost_connection_is_made_again_once(connect, code):
    def answer(request, number):
        if number == 0:
            raise HangUpError(code)
        return {"actions": REQUEST["x"]}

    server, policy = connect(answer)
    np.testing.assert_array_equal(policy.infer(REQUEST).content["actions"], REQUEST["x"])
    assert len(server.requests) == 2


@pytest.mark.parametrize("code", [None, 1011])
def test_a_connection_that_is_lost_twice_is_no_error_of_the_policy(connect, code):
    def answer(request, number):
        raise HangUpError(code)

    server, policy = connect(answer)
    with pytest.raises(RemoteConnectionError):
        policy.infer(REQUEST)
    assert len(server.requests) == 2 and policy.unavailable is not None
    with pytest.raises(RemoteConnectionError):
        policy.raise_if_unavailable()


def test_a_server_that_has_gone_is_no_error_of_the_policy(connect):
    server, policy = connect()
    server.__exit__()
    with pytest.raises(RemoteConnectionError):
        policy.infer(REQUEST)


def test_the_first_answer_may_take_longer_than_later_ones(connect, monkeypatch):
    monkeypatch.setattr(client, "FIRST_ANSWER_S", 5.0)
    monkeypatch.setattr(client, "ANSWER_S", 0.05)
    ends = threading.Event()

    def answer(request, number):
        ends.wait(0.2 if number == 0 else 20)
        return {"actions": REQUEST["x"]}

    _, policy = connect(answer, timeout_s=None)
    policy.infer(REQUEST)
    monkeypatch.setattr(client, "FIRST_ANSWER_S", 0.05)
    with pytest.raises(RemoteConnectionError, match=r"no answer within 0\.05 s"):
        policy.infer(REQUEST)
    ends.set()


@pytest.mark.parametrize(
    "greeting",
    ["hello", b"", b"\xc1", pack([1, 2]), pack("text"), b"\xdd\xff\xff\xff\xff", pack({"x": bytes(2**20)})],
    ids=range(7),
)
def test_a_server_that_sends_no_metadata_is_not_of_this_protocol(connect, greeting):
    with pytest.raises(RemoteConnectionError, match="metadata"):
        connect(greeting=greeting)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(connect, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_S", 0.2)
    with pytest.raises(RemoteConnectionError, match="No frame came"):
        connect(greeting=None, timeout_s=None)


def test_without_a_server_the_error_comes_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{free.getsockname()[1]}"
    started = time.perf_counter()
    with pytest.raises(RemoteConnectionError) as caught:
        RemotePolicy(RemoteServer(url=url)).start_episode("")
    assert caught.value.facts["url"] == url and time.perf_counter() - started < 2


def test_another_policy_at_the_address_is_refused():
    with FakePolicyServer(greeting=pack({"name": "pi0"})) as server, pytest.raises(RemoteConnectionError):
        RemotePolicy(RemoteServer(url=server.url, metadata_sha256="0" * 64)).start_episode("")


def test_the_policy_must_not_change_from_one_connection_to_the_next(connect):
    server, policy = connect(greeting=pack({"name": "pi0"}))
    server.greeting = pack({"name": "another"})
    with pytest.raises(RemoteConnectionError, match="metadata have changed"):
        policy.start_episode("another id")


@pytest.mark.parametrize(
    ("key", "sent"), [("", None), ("abc", "Api-Key abc"), ("Bearer abc", "Bearer abc"), (" abc\n", "Api-Key abc")]
)
def test_the_key_is_sent_in_a_header(connect, monkeypatch, key, sent):
    monkeypatch.setenv(client.API_KEY, key)
    server, _ = connect()
    assert server.headers[0].get("Authorization") == sent


def test_only_a_server_that_asks_for_it_is_told_of_episodes(connect):
    answers = ["reset successful", {"actions": REQUEST["x"]}]
    server, policy = connect(lambda request, number: answers[number], greeting=pack({"needs_session_id": True}))
    policy.infer(REQUEST)
    reset, infer = server.requests
    assert reset == {"endpoint": "reset", "session_id": "an id"}
    assert (infer["endpoint"], infer["session_id"]) == ("infer", "an id") and "x" in infer


def test_a_server_without_that_message_has_a_connection_for_each_episode(connect):
    server, policy = connect()
    policy.infer(REQUEST)
    policy.infer(REQUEST)
    policy.start_episode("another id")
    policy.infer(REQUEST)
    assert len(server.headers) == 2 and len(server.requests) == 3
    told, policy = connect(lambda request, number: "reset successful", greeting=pack({"needs_session_id": False}))
    policy.start_episode("another id")
    assert len(told.headers) == 1 and told.requests == [{"endpoint": "reset"}] * 2


def test_the_first_answer_is_that_to_a_request_and_a_reset_may_fail(connect, monkeypatch):
    monkeypatch.setattr(client, "ANSWER_S", 0.05)
    greeting = pack({"needs_session_id": True})

    def answer(request, number):
        time.sleep(0.2 if request["endpoint"] == "infer" else 0)
        return "reset successful"

    _, policy = connect(answer, timeout_s=None, greeting=greeting)
    with pytest.raises(RemotePolicyError, match="reset successful"):
        policy.infer(REQUEST)
    with pytest.raises(RemotePolicyError, match="no such prompt"):
        connect(lambda request, number: TRACEBACK, greeting=greeting)


def test_an_answer_that_cannot_be_read_is_an_error_of_the_policy(connect):
    _, policy = connect(lambda request, number: b"\xdf\xff\xff\xff\xff")
    with pytest.raises(RemotePolicyError, match="cannot be read"):
        policy.infer(REQUEST)
