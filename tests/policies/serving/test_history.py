"""Which observations a policy with a history sees, in this process and on a server."""

import gc
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from history_policy import (
    CHUNK,
    EncodingPolicy,
    HistoryPolicy,
    LookingShowingPolicy,
    NeighbourEncodingPolicy,
    RowEncodingPolicy,
    ShowingPolicy,
)
from toy_policy import observation, toy_spec

from ambidex.errors import UsageError
from ambidex.policies.messages import ObservationMessage, PolicyInputs
from ambidex.policies.serving.client import PolicyClient, PolicyServerError
from ambidex.policies.serving.execution import Execution
from ambidex.policies.serving.fixed_batch import FixedBatch, collate_windows, make_fixed_batch, random_request
from ambidex.policies.serving.history import (
    Frame,
    FrameWindow,
    KeptFrames,
    MissingObservationsError,
    SentSteps,
    WindowMessage,
    policy_agent,
)
from ambidex.policies.serving.local import executing_agent
from ambidex.policies.serving.server import PolicyServer

CPU = torch.device("cpu")
SPEC = toy_spec()
EXECUTIONS = {
    "chunk": Execution(mode="chunk", steps=4),
    "first": Execution(mode="first", steps=1),
    "ensemble": Execution(mode="ensemble", steps=1),
}


def numbered(episode, step, rendered=None):
    """An observation that shows its episode and step: in the first joint, and in the colour of its image."""

    def render(state, camera):
        if rendered is not None:
            rendered.append((episode, step))
        return np.full((24, 32, 3), 50 * episode + step, np.uint8)

    return observation(0, qpos=np.full(14, 100.0 * episode + step), render=render)


def expected_row(episode, step, history, stride, colour):
    """What a ShowingPolicy shows at a step, by the definition."""
    steps = [step - stride * age for age in range(history - 1, -1, -1)]
    places = [max(0, each) for each in steps]
    shown = [
        *(100 * episode + place for place in places),
        *(float(each >= 0) for each in steps),
        *(colour + 50 * episode + place for place in places),
    ]
    return np.float32([*shown, *[0] * (40 - len(shown))])


@contextmanager
def agents(policy, execution, where):
    """An agent in this process, or one of a served policy."""
    if where == "here":
        yield executing_agent(policy, execution)
        return
    with PolicyServer() as server:
        server.serve(policy, CPU, threads=2)
        client = PolicyClient(server.address, server.authkey)
        yield policy_agent(execution, client.policy.inputs.offsets, client.predict)
        client.close()


@pytest.mark.parametrize("where", ["here", "served"])
@pytest.mark.parametrize(("kind", "colour"), [(ShowingPolicy, 1000), (LookingShowingPolicy, 0)])
@pytest.mark.parametrize(("history", "stride"), [(2, 1), (3, 2), (6, 3)])
@pytest.mark.parametrize("mode", ["chunk", "first"])
def test_a_policy_sees_the_window_of_its_episode_and_no_other(where, kind, colour, history, stride, mode):
    execution = EXECUTIONS[mode]
    with agents(kind(SPEC, history=history, stride=stride).eval(), execution, where) as agent:
        for episode, steps in ((0, 11), (1, 3), (2, 17)):
            agent.reset(numbered(episode, 0), episode)
            for step in range(steps):
                row = agent.act(numbered(episode, step))
                newest = step - step % execution.steps
                np.testing.assert_array_equal(row, expected_row(episode, newest, history, stride, colour))


def test_ensembles_average_predictions_from_windows():
    agent = executing_agent(ShowingPolicy(SPEC, history=3, stride=2).eval(), EXECUTIONS["ensemble"])
    for episode in range(2):
        agent.reset(numbered(episode, 0), 0)
        rows = []
        for step in range(2 * CHUNK):
            rows.append(expected_row(episode, step, 3, 2, 1000).astype(np.float64))
            weights = np.exp(-0.01 * np.arange(len(rows[-CHUNK:])))
            mean = (weights @ np.array(rows[-CHUNK:]) / weights.sum()).astype(np.float32)
            np.testing.assert_array_equal(agent.act(numbered(episode, step)), mean)


@pytest.mark.parametrize("where", ["here", "served"])
def test_each_image_is_rendered_and_encoded_once_and_only_when_a_prediction_needs_it(where):
    policy, rendered = EncodingPolicy(SPEC, history=3, stride=2).eval(), []
    with agents(policy, Execution(mode="chunk", steps=5), where) as agent:
        policy.encoded.clear()
        agent.reset(numbered(0, 0), 0)
        for step in range(12):
            agent.act(numbered(0, step, rendered))
    assert rendered == [(0, step) for step in (0, 1, 3, 5, 6, 8, 10)]
    assert policy.encoded == [1] * 7
    rendered.clear()
    with agents(policy, EXECUTIONS["first"], where) as agent:
        policy.encoded.clear()
        agent.reset(numbered(0, 0), 0)
        for step in range(12):
            agent.act(numbered(0, step, rendered))
    assert rendered == [(0, step) for step in range(12)]
    assert policy.encoded == [1] * 12


@pytest.mark.parametrize("kind", [HistoryPolicy, EncodingPolicy])
def test_many_clients_get_the_bits_of_one(kind):
    policy = kind(SPEC, history=3, stride=2).eval()

    def act(agent, episode):
        agent.reset(observation(100 * episode), 0)
        return [agent.act(observation(100 * episode + step)) for step in range(9)]

    here = executing_agent(policy, EXECUTIONS["first"])
    expected = [act(here, episode) for episode in range(8)]
    with PolicyServer() as server:
        server.serve(policy, CPU, threads=3)

        def client(first):
            connection = PolicyClient(server.address, server.authkey)
            agent = policy_agent(EXECUTIONS["first"], connection.policy.inputs.offsets, connection.predict)
            return {episode: act(agent, episode) for episode in range(first, 8, 4)}

        with ThreadPoolExecutor(4) as pool:
            got = {episode: rows for part in pool.map(client, range(4)) for episode, rows in part.items()}
    for episode, rows in enumerate(expected):
        np.testing.assert_array_equal(got[episode], rows)
    assert not np.array_equal(expected[0], expected[1])


def test_two_agents_may_share_a_client():
    policy = ShowingPolicy(SPEC, history=3).eval()
    with PolicyServer() as server:
        server.serve(policy, CPU)
        client = PolicyClient(server.address, server.authkey)
        pair = [policy_agent(EXECUTIONS["first"], client.policy.inputs.offsets, client.predict) for _ in range(2)]
        for step in range(6):
            for episode, agent in enumerate(pair):
                row = agent.act(numbered(episode, step))
                np.testing.assert_array_equal(row, expected_row(episode, step, 3, 1, 1000))


def test_a_failed_prediction_leaves_the_next_ones_whole():
    policy, failures = ShowingPolicy(SPEC, history=3).eval(), iter([False, True])
    predict = policy.predict

    with PolicyServer() as server:
        server.serve(policy, CPU)
        policy.predict = lambda batch: 1 / 0 if next(failures, False) else predict(batch)
        client = PolicyClient(server.address, server.authkey)
        agent = policy_agent(EXECUTIONS["first"], client.policy.inputs.offsets, client.predict)
        agent.act(numbered(0, 0))
        with pytest.raises(PolicyServerError, match="ZeroDivisionError"):
            agent.act(numbered(0, 1))
        np.testing.assert_array_equal(agent.act(numbered(0, 2)), expected_row(0, 2, 3, 1, 1000))


def test_a_request_without_a_window_is_an_error():
    policy = HistoryPolicy(SPEC).eval()
    with pytest.raises(UsageError) as caught:
        FixedBatch(policy, CPU, 1).answer([ObservationMessage.of(observation(0), policy.inputs)])
    assert caught.value.facts["expected"] == 3


def test_a_batch_has_the_windows_as_they_were_seen():
    policy = EncodingPolicy(SPEC, history=2, objects=True).eval()
    messages = [ObservationMessage.of(observation(seed), policy.inputs) for seed in range(4)]
    windows = [
        FrameWindow(frames=tuple(Frame(message=each) for each in messages[i : i + 2]), valid=(i > 0, True))
        for i in (0, 2)
    ]
    batch = collate_windows(windows)
    assert batch.valid.tolist() == [[False, True], [True, True]]
    for row, window in enumerate(windows):
        for place, frame in enumerate(window.frames):
            assert np.array_equal(batch.qpos[row, place], frame.message.qpos)
            assert np.array_equal(batch.objects[row, place], frame.message.objects)
            image = batch.images["top"][row, place].permute(1, 2, 0)
            assert np.array_equal(image, frame.message.images["top"])
    assert len(batch) == 2 and batch.instructions == ("", "")


def test_images_and_encoded_frames_give_the_same_answer():
    policy = EncodingPolicy(SPEC).eval()
    for seed in range(4):
        window = random_request(policy, seed)
        looked = policy.predict(collate_windows([window]))[0]
        (chunk,) = FixedBatch(policy, CPU, 1).answer([window])
        assert window.frames[0].encoded is not None and not window.frames[0].message.images
        np.testing.assert_allclose(chunk.actions, looked.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(("kind", "notes"), [(ShowingPolicy, 0), (NeighbourEncodingPolicy, 1), (RowEncodingPolicy, 1)])
@pytest.mark.parametrize("history", [2, 4, 8])
def test_passes_that_encode_frames_are_tested_before_a_policy_is_served(kind, notes, history):
    batch, found = make_fixed_batch(kind(SPEC, history=history).eval(), CPU, 4)
    assert len(found) == notes and batch.batch_size == (1 if notes else 4)


@pytest.mark.parametrize("size", [1, 4])
def test_all_passes_have_one_size(size):
    policy = EncodingPolicy(SPEC, history=5).eval()
    batch = FixedBatch(policy, CPU, size)
    batch.answer([random_request(policy, seed) for seed in range(size)])
    assert set(policy.encoded) == {size} and sum(policy.encoded) >= 5
    policy.encoded.clear()
    batch.answer([random_request(policy, 3)])
    assert policy.encoded == [size] * -(-2 // size)


def test_random_windows_differ_and_begin_with_padding_by_their_seed():
    policy = HistoryPolicy(SPEC, history=3, cameras=("top",)).eval()
    windows = [random_request(policy, seed) for seed in range(4)]
    assert [window.valid for window in windows] == [
        (True, True, True),
        (False, True, True),
        (False, False, True),
        (True, True, True),
    ]
    contents = {frame.message.qpos.tobytes() for window in windows for frame in window.frames}
    assert len(contents) == 3 + 2 + 1 + 3
    assert windows[2].frames[0] is windows[2].frames[2]


def message(episode, step, frames):
    inputs = PolicyInputs(cameras=("top",), objects=False, instruction=False)
    content = {each: ObservationMessage.of(numbered(episode, each), inputs) for each in frames}
    return WindowMessage(episode=episode, step=step, frames=content)


def test_a_server_keeps_what_later_windows_can_have_and_nothing_else():
    kept = KeptFrames((4, 2, 0))
    references = []
    for step, sizes in ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 5), (6, 5), (20, 3)):
        new = (step,) if step < 20 else (16, 18, 20)
        window = kept.complete(message(0, step, new))
        assert len(kept) == sizes
        references.append(weakref.ref(window.frames[-1]))
        del window
    gc.collect()
    assert [reference() is None for reference in references] == [True] * 7 + [False]
    kept.complete(message(1, 0, (0,)))
    assert len(kept) == 1


def test_an_observation_that_was_not_sent_is_an_error():
    kept = KeptFrames((2, 1, 0))
    with pytest.raises(MissingObservationsError) as caught:
        kept.complete(message(0, 3, (3,)))
    assert caught.value.facts["expected"] == [1, 2]
    kept.complete(message(1, 0, (0,)))
    with pytest.raises(MissingObservationsError):  # those of another episode do not count
        kept.complete(message(2, 1, (1,)))


def test_frames_are_freed_when_the_client_disconnects(monkeypatch):
    policy, alive = ShowingPolicy(SPEC, history=3).eval(), weakref.WeakSet()
    make = KeptFrames.__init__
    monkeypatch.setattr(KeptFrames, "__init__", lambda self, *args: alive.add(self) or make(self, *args))
    with PolicyServer() as server:
        server.serve(policy, CPU)
        clients = [PolicyClient(server.address, server.authkey) for _ in range(2)]
        for client in clients:
            policy_agent(EXECUTIONS["first"], client.policy.inputs.offsets, client.predict).act(numbered(0, 0))
        assert len(alive) == 2
        clients[0].close()
        deadline = time.monotonic() + 10
        while len(alive) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
            gc.collect()


def test_what_was_sent_is_forgotten_with_its_episode():
    sent, episodes = SentSteps(), []
    agent = policy_agent(EXECUTIONS["first"], (1, 0), lambda window: episodes.append(window) or 1 / 0)
    for step in (0, 1):
        with pytest.raises(ZeroDivisionError):
            agent.act(numbered(0, step))
    agent.reset(numbered(1, 0), 0)
    with pytest.raises(ZeroDivisionError):
        agent.act(numbered(1, 0))
    found = []
    for window in episodes:
        found.append(sorted(sent.unsent(window).observations))
        sent.add(window)
    assert found == [[0], [1], [0]]
    assert [window.step for window in episodes] == [0, 1, 0]
    assert episodes[0].episode == episodes[1].episode != episodes[2].episode


@pytest.mark.parametrize("name", ["history", "stride"])
def test_a_policy_looks_at_one_observation_or_more(name):
    with pytest.raises(UsageError) as caught:
        PolicyInputs(cameras=(), objects=False, instruction=False, **{name: 0})
    assert caught.value.facts["field"] == name
