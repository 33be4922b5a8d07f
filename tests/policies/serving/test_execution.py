import numpy as np
import pytest

from ambidex.envs.types import NO_CODE
from ambidex.errors import InvalidActionError, UnknownNameError, UsageError
from ambidex.policies.messages import Chunk
from ambidex.policies.serving.execution import ChunkExecution, EnsembleExecution, Execution, choose_execution

K, A, STEPS = 7, 3, 25


def first_execution(predict):
    return Execution(mode="first", steps=4).agent(predict)


class Source:
    """Predicts chunk t, of code 100 + t, for observation t, and records the observations."""

    def __init__(self, seed=0, length=K):
        self.chunks = np.random.default_rng(seed).normal(size=(STEPS, length, A)).astype(np.float32)
        self.observations = []

    def __call__(self, observation):
        self.observations.append(observation)
        return Chunk(actions=self.chunks[observation], code=100 + observation)


def actions_of(agent, steps=STEPS):
    """The actions of an episode in which observation t is the number t."""
    agent.reset(0, seed=0)
    return np.stack([agent.act(t) for t in range(steps)])


def reference_ensemble(chunks, m):
    """All predictions for each step in a list, oldest first, weighted and averaged."""
    actions = []
    for t in range(len(chunks)):
        predictions = [chunks[at][t - at] for at in range(t + 1) if t - at < chunks.shape[1]]
        weights = [np.exp(-m * i) for i in range(len(predictions))]
        actions.append(np.average(np.float64(predictions), axis=0, weights=weights))
    return np.float32(actions)


@pytest.mark.parametrize("steps", [1, 3, K])
def test_a_chunk_is_executed_in_order_and_then_the_next_is_predicted(steps):
    source = Source()
    actions = actions_of(ChunkExecution(source, steps))
    assert source.observations == list(range(0, STEPS, steps))
    np.testing.assert_array_equal(actions, [source.chunks[t - t % steps][t % steps] for t in range(STEPS)])


def test_by_default_the_whole_chunk_is_executed():
    np.testing.assert_array_equal(actions_of(ChunkExecution(Source())), actions_of(ChunkExecution(Source(), K)))


def test_first_predicts_at_every_step():
    source = Source()
    np.testing.assert_array_equal(actions_of(first_execution(source)), source.chunks[:, 0])
    assert source.observations == list(range(STEPS))


@pytest.mark.parametrize("m", [0.0, 0.01, 0.7])
@pytest.mark.parametrize("length", [1, 2, K, STEPS + 5])
def test_ensemble_is_the_weighted_mean_of_all_predictions_for_a_step(m, length):
    source = Source(length=length)
    expected = reference_ensemble(source.chunks, m)
    np.testing.assert_allclose(actions_of(EnsembleExecution(source, m)), expected, atol=1e-6)


def test_the_oldest_prediction_weighs_most():
    source = Source()
    source.chunks[:] = 0
    source.chunks[0] = 1
    share = actions_of(EnsembleExecution(source, 1.0))[1, 0]
    assert share == pytest.approx(1 / (1 + np.exp(-1)))


def test_an_action_of_zeros_counts_as_a_prediction():
    source = Source()
    source.chunks[:] = 1
    source.chunks[3] = 0
    np.testing.assert_allclose(actions_of(EnsembleExecution(source, 0.0))[3], 3 / 4)


@pytest.mark.parametrize("make", [lambda s: ChunkExecution(s, 4), first_execution, EnsembleExecution])
@pytest.mark.parametrize("interrupted_at", [1, 5, 13])
def test_reset_clears_all_state(make, interrupted_at):
    source = Source()
    used = make(source)
    source.chunks += 100
    actions_of(used, interrupted_at)
    source.chunks -= 100
    np.testing.assert_array_equal(actions_of(used), actions_of(make(source)))


def test_actions_are_float32():
    for agent in (ChunkExecution(Source()), first_execution(Source()), EnsembleExecution(Source())):
        actions = actions_of(agent)
        assert actions.dtype == np.float32
        assert actions.shape == (STEPS, A)


@pytest.mark.parametrize("chunk", [np.zeros((0, A)), np.zeros(A), np.zeros((1, K, A))])
@pytest.mark.parametrize("make", [ChunkExecution, first_execution, EnsembleExecution])
def test_a_chunk_of_a_wrong_shape_is_refused(make, chunk):
    agent = make(lambda observation: Chunk(actions=chunk.astype(np.float32)))
    agent.reset(0, seed=0)
    with pytest.raises(InvalidActionError) as caught:
        agent.act(0)
    assert caught.value.facts["got"] == chunk.shape


@pytest.mark.parametrize(
    ("make", "predicted_at"),
    [(lambda s: ChunkExecution(s, 4), lambda t: t - t % 4), (first_execution, int), (EnsembleExecution, int)],
)
def test_a_step_has_the_code_of_the_newest_chunk(make, predicted_at):
    agent = make(Source())
    agent.reset(0, seed=0)
    assert agent.code == NO_CODE
    codes = []
    for t in range(STEPS):
        agent.act(t)
        codes.append(agent.code)
    assert codes == [100 + predicted_at(t) for t in range(STEPS)]
    agent.reset(0, seed=1)
    assert agent.code == NO_CODE


def test_the_name_has_the_fixed_code():
    assert choose_execution("chunk", 4, None, 8, 17).name == "chunk:4 code:17"
    assert choose_execution("ensemble", None, None, 8, 0).name == "ensemble code:0"


def test_the_users_steps_come_before_the_policys_and_those_before_the_chunk_size():
    assert choose_execution("chunk", 20, 50, 100).name == "chunk:20"
    assert choose_execution("chunk", None, 50, 100).name == "chunk:50"
    assert choose_execution("chunk", None, None, 100).name == "chunk:100"
    assert choose_execution("first", None, 50, 100) == Execution(mode="first", steps=1)
    assert choose_execution("ensemble", None, None, 100).name == "ensemble"


@pytest.mark.parametrize(
    ("mode", "steps"), [("chunk", 0), ("chunk", -1), ("chunk", 101), ("first", 3), ("ensemble", 1)]
)
def test_steps_that_do_not_fit_are_refused(mode, steps):
    with pytest.raises(UsageError) as caught:
        choose_execution(mode, steps, None, 100)
    assert caught.value.facts["field"] == "execute_steps"


def test_an_unknown_execution_is_refused():
    with pytest.raises(UnknownNameError, match="ensemble"):
        Execution(mode="ensembel", steps=1)


def test_an_execution_makes_the_agent_of_its_mode():
    source = Source()
    chunked = actions_of(Execution(mode="chunk", steps=4).agent(source))
    np.testing.assert_array_equal(chunked, actions_of(ChunkExecution(source, 4)))
    ensembled = actions_of(Execution(mode="ensemble", steps=1).agent(source))
    np.testing.assert_array_equal(ensembled, actions_of(EnsembleExecution(source, 0.01)))
