import numpy as np
import pytest

from ambidex.envs.types import NO_CODE
from ambidex.errors import InvalidActionError, UnknownNameError, UsageError
from ambidex.policies.messages import Chunk
from ambidex.policies.serving.execution import (
    ChunkExecution,
    EnsembleExecution,
    Execution,
    FirstExecution,
    choose_execution,
)

K, A, STEPS = 7, 3, 25


class Source:
    """Gives chunk t, of code 100 + t, for observation t, and remembers what it was asked."""

    def __init__(self, seed=0, length=K):
        self.chunks = np.random.default_rng(seed).normal(size=(STEPS, length, A)).astype(np.float32)
        self.asked = []

    def __call__(self, observation):
        self.asked.append(observation)
        return Chunk(actions=self.chunks[observation], code=100 + observation)


def play(agent, steps=STEPS):
    """The actions of an episode in which observation t is the number t."""
    agent.reset(0, seed=0)
    return np.stack([agent.act(t) for t in range(steps)])


def ensemble_by_hand(chunks, m):
    """All predictions for each step in a list, oldest first, weighted and averaged."""
    actions = []
    for t in range(len(chunks)):
        predictions = [chunks[asked][t - asked] for asked in range(t + 1) if t - asked < chunks.shape[1]]
        weights = [np.exp(-m * i) for i in range(len(predictions))]
        actions.append(np.average(np.float64(predictions), axis=0, weights=weights))
    return np.float32(actions)


@pytest.mark.parametrize("steps", [1, 3, K])
def test_a_chunk_is_played_in_order_and_asked_for_when_it_is_used_up(steps):
    source = Source()
    actions = play(ChunkExecution(source, steps))
    assert source.asked == list(range(0, STEPS, steps))
    np.testing.assert_array_equal(actions, [source.chunks[t - t % steps][t % steps] for t in range(STEPS)])


def test_without_a_number_the_whole_chunk_is_played():
    np.testing.assert_array_equal(play(ChunkExecution(Source())), play(ChunkExecution(Source(), K)))


def test_first_asks_at_every_step():
    source = Source()
    np.testing.assert_array_equal(play(FirstExecution(source)), source.chunks[:, 0])
    assert source.asked == list(range(STEPS))


@pytest.mark.parametrize("m", [0.0, 0.01, 0.7])
@pytest.mark.parametrize("length", [1, 2, K, STEPS + 5])
def test_ensemble_is_the_weighted_mean_of_all_predictions_for_a_step(m, length):
    source = Source(length=length)
    np.testing.assert_allclose(play(EnsembleExecution(source, m)), ensemble_by_hand(source.chunks, m), atol=1e-6)


def test_the_oldest_prediction_weighs_most():
    source = Source()
    source.chunks[:] = 0
    source.chunks[0] = 1
    share = play(EnsembleExecution(source, 1.0))[1, 0]
    assert share == pytest.approx(1 / (1 + np.exp(-1)))


def test_an_action_of_zeros_is_a_prediction_like_any_other():
    source = Source()
    source.chunks[:] = 1
    source.chunks[3] = 0
    np.testing.assert_allclose(play(EnsembleExecution(source, 0.0))[3], 3 / 4)


@pytest.mark.parametrize("make", [lambda s: ChunkExecution(s, 4), FirstExecution, EnsembleExecution])
@pytest.mark.parametrize("interrupted_at", [1, 5, 13])
def test_reset_forgets_everything(make, interrupted_at):
    source = Source()
    used = make(source)
    source.chunks += 100
    play(used, interrupted_at)
    source.chunks -= 100
    np.testing.assert_array_equal(play(used), play(make(source)))


def test_actions_are_float32():
    for agent in (ChunkExecution(Source()), FirstExecution(Source()), EnsembleExecution(Source())):
        actions = play(agent)
        assert actions.dtype == np.float32
        assert actions.shape == (STEPS, A)


@pytest.mark.parametrize("chunk", [np.zeros((0, A)), np.zeros(A), np.zeros((1, K, A))])
@pytest.mark.parametrize("make", [ChunkExecution, FirstExecution, EnsembleExecution])
def test_what_is_no_chunk_is_refused(make, chunk):
    agent = make(lambda observation: Chunk(actions=chunk.astype(np.float32)))
    agent.reset(0, seed=0)
    with pytest.raises(InvalidActionError, match=r"expected \(K, A\)"):
        agent.act(0)


@pytest.mark.parametrize(
    ("make", "asked"),
    [(lambda s: ChunkExecution(s, 4), lambda t: t - t % 4), (FirstExecution, int), (EnsembleExecution, int)],
)
def test_a_step_has_the_code_of_the_newest_chunk(make, asked):
    agent = make(Source())
    agent.reset(0, seed=0)
    assert agent.code == NO_CODE
    codes = []
    for t in range(STEPS):
        agent.act(t)
        codes.append(agent.code)
    assert codes == [100 + asked(t) for t in range(STEPS)]
    agent.reset(0, seed=1)
    assert agent.code == NO_CODE


def test_a_fixed_code_is_named():
    assert choose_execution("chunk", 4, None, 8, 17).name == "chunk:4 code:17"
    assert choose_execution("ensemble", None, None, 8, 0).name == "ensemble code:0"


def test_execution_chooses_what_the_user_then_the_policy_then_the_chunk_says():
    assert choose_execution("chunk", 20, 50, 100).name == "chunk:20"
    assert choose_execution("chunk", None, 50, 100).name == "chunk:50"
    assert choose_execution("chunk", None, None, 100).name == "chunk:100"
    assert choose_execution("first", None, 50, 100).name == "first"
    assert choose_execution("ensemble", None, None, 100).name == "ensemble"


@pytest.mark.parametrize(
    ("mode", "steps"), [("chunk", 0), ("chunk", -1), ("chunk", 101), ("first", 3), ("ensemble", 1)]
)
def test_steps_that_do_not_fit_are_refused(mode, steps):
    with pytest.raises(UsageError, match="--execute-steps"):
        choose_execution(mode, steps, None, 100)


def test_an_unknown_execution_is_refused():
    with pytest.raises(UnknownNameError, match="ensemble"):
        Execution(mode="ensembel", steps=1)


def test_an_execution_makes_the_agent_it_names():
    source = Source()
    for mode, agent in (("chunk", ChunkExecution(source, 4)), ("first", FirstExecution(source))):
        np.testing.assert_array_equal(play(Execution(mode=mode, steps=4).agent(source)), play(agent))
    made = play(Execution(mode="ensemble", steps=1).agent(source))
    np.testing.assert_array_equal(made, play(EnsembleExecution(source, 0.01)))
