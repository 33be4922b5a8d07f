"""The public API: every name, and the way from an environment to a comparison of policies."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import ambidex
from ambidex.errors import UsageError


def test_every_public_name_is_there_documented_and_completed():
    for name in ambidex.__all__:
        assert name in dir(ambidex)
        if name != "__version__":
            assert inspect.getdoc(getattr(ambidex, name)), name
    with pytest.raises(AttributeError, match="flux"):
        ambidex.flux  # noqa: B018


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A dataset of two demonstrations, a run trained on it, and benchmarks of it and of the expert."""
    folder = tmp_path_factory.mktemp("work")
    config = ambidex.RecordConfig(
        task="transfer_cube", num_episodes=2, cameras=(), output_dir=folder / "data", workers=0, quiet=True
    )
    (summary,) = ambidex.record(config)
    assert summary.complete
    training = replace(
        ambidex.train_config("act", "tiny", "state"),
        data=(folder / "data",),
        steps=2,
        batch_size=4,
        validation_fraction=0.0,
        device="cpu",
        output_dir=folder / "run",
        quiet=True,
    )
    assert ambidex.train(training) == folder / "run"
    for policy, checkpoint in (("act", folder / "run"), ("scripted", None)):
        ambidex.benchmark(
            ambidex.BenchmarkConfig(
                policy=policy, checkpoint=checkpoint, task="transfer_cube", episodes=1, video="none",
                output_dir=folder / policy, workers=0, quiet=True,
            )
        )  # fmt: skip
    return folder


def test_a_dataset_is_read_back(work):
    dataset = ambidex.read(work / "data")
    with dataset[0] as stored:
        assert stored.episode.success and stored.episode.joint_actions.shape == (400, 14)


def test_an_expert_solves_its_task():
    env = ambidex.make("transfer_cube", cameras=())
    assert ambidex.rollout(env, ambidex.make_expert(env), seed=100_000).success


def test_an_agent_in_this_process_acts_as_the_benchmark_does(work):
    env = ambidex.make("transfer_cube", cameras=())
    policy = ambidex.load(work / "run")
    result = ambidex.rollout(env, ambidex.make_agent(policy, env.spec), seed=100_000, stop_at_success=True)
    with np.load(work / "act" / "states" / "transfer_cube" / "100000.npz") as stored:
        np.testing.assert_array_equal(result.states, stored["states"])
        np.testing.assert_array_equal(result.actions, stored["actions"])


def test_an_agent_needs_an_environment_that_fits(work):
    policy = ambidex.load(work / "run")
    with pytest.raises(UsageError) as caught:
        ambidex.make_agent(policy, ambidex.make("transfer_cube", control="ee", cameras=()).spec)
    assert "control" in caught.value.facts["fields"]


def test_results_are_compared(work):
    (comparison,) = ambidex.compare(ambidex.CompareConfig(results=(work / "act", work / "scripted")))
    assert comparison.together.counts.both + comparison.together.counts.only_b == 1
