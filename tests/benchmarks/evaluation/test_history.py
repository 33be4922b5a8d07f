"""Benchmarks of policies that look at past observations: the bits of an agent that remembers all of them itself."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from benchmarking_fakes import FIRST, HOLD, assert_same_results
from history_policy import EncodingPolicy, HistoryPolicy, RememberingAgent
from toy_policy import write_checkpoint

import ambidex
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.local import executing_agent

EPISODES, HORIZON = 2, 23
SPEC = ambidex.make("insertion", cameras=("top",), image_size=(24, 32), horizon=HORIZON).spec
POLICY = replace(HOLD, policy="act", episodes=EPISODES, horizon=HORIZON, device="cpu", workers=0)


def encoding():
    return EncodingPolicy(SPEC, history=3, stride=2).eval()


def linear():
    return HistoryPolicy(SPEC, history=4, objects=True).eval()


def looking():
    return HistoryPolicy(SPEC, history=3, stride=2, cameras=("top",)).eval()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("run") / "checkpoints" / "100")


@pytest.fixture
def run(tmp_path, checkpoint):
    def run_policy(make, name="results", **changes):
        config = replace(POLICY, **{"output_dir": tmp_path / name, "checkpoint": checkpoint, **changes})
        benchmark(config, load=lambda path: make())
        return config.output_dir

    return run_policy


def actions_of(folder):
    paths = [ResultsFolder(folder).states_path("insertion", FIRST + i) for i in range(EPISODES)]
    return [EpisodeStates.read(path).actions for path in paths]


def rolled_out(make_agent, cameras=("top",)):
    """Actions of each episode, all of one agent."""
    with closing(ambidex.make("insertion", cameras=cameras, image_size=(24, 32), horizon=HORIZON)) as env:
        agent = make_agent()
        return [ambidex.rollout(env, agent, FIRST + i, stop_at_success=True).actions for i in range(EPISODES)]


@pytest.mark.parametrize(
    ("make", "execution", "steps"),
    [
        (encoding, "chunk", 4),
        (encoding, "first", None),
        (encoding, "ensemble", None),
        (linear, "chunk", 4),
        (looking, "first", None),
    ],
)
def test_every_episode_has_the_bits_of_an_agent_that_remembers_it(run, make, execution, steps):
    expected = rolled_out(lambda: RememberingAgent(make(), execution, steps))
    found = actions_of(run(make, execution=execution, execute_steps=steps))
    chosen = choose_execution(execution, steps, None, make().chunk_size)
    local = rolled_out(lambda: executing_agent(make(), chosen))
    for one, other, third in zip(expected, found, local, strict=True):
        assert len(one) == HORIZON
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)
    assert np.ptp(expected[0], axis=0).min() > 0 and not np.array_equal(expected[0], expected[1])


def test_actions_depend_on_every_position_of_the_window():
    """Otherwise the test above would prove little."""
    policies = [HistoryPolicy(SPEC, history=3, stride=stride, cameras=("top",)).eval() for stride in (1, 2)]
    one, two = (rolled_out(lambda p=policy: RememberingAgent(p, "chunk", 1)) for policy in policies)
    assert np.array_equal(one[0][:1], two[0][:1]) and not np.array_equal(one[0], two[0])


def test_results_are_bitwise_equal_with_two_workers_and_after_a_resume(run):
    whole = run(encoding, "whole", execute_steps=4)
    assert_same_results(whole, run(encoding, "workers", execute_steps=4, workers=2))
    part = run(encoding, "part", execute_steps=4)
    (part / "results.jsonl").write_text((part / "results.jsonl").read_text().splitlines(keepends=True)[0])
    ResultsFolder(part).states_path("insertion", FIRST + 1).unlink()
    assert_same_results(whole, run(encoding, "part", execute_steps=4, resume=True))


def test_make_agent_gives_the_window_too():
    def make():
        with closing(ambidex.make("insertion", cameras=("top",), image_size=(24, 32), horizon=HORIZON)) as env:
            return ambidex.make_agent(encoding(), env, execute_steps=4)

    for one, other in zip(rolled_out(lambda: RememberingAgent(encoding(), "chunk", 4)), rolled_out(make), strict=True):
        np.testing.assert_array_equal(one, other)
