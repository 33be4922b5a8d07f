"""The public API: every name, and the way from an environment to a comparison of policies."""

import inspect
import subprocess
import sys
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


def record_config(folder, **changes):
    return ambidex.RecordConfig(
        task="transfer_cube",
        num_episodes=2,
        cameras="none",
        output_dir=folder / "data",
        workers=0,
        quiet=True,
        **changes,
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A dataset of two demonstrations, a run trained on it, and benchmarks of it and of the expert."""
    folder = tmp_path_factory.mktemp("work")
    (summary,) = ambidex.record(record_config(folder))
    assert summary.complete
    training = ambidex.train_config(
        "act",
        "tiny",
        "state",
        data=str(folder / "data"),  # text for paths, one value for a tuple
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


def compared(work):
    return ambidex.compare(ambidex.CompareConfig(results=[str(work / "act"), work / "scripted"]))


def test_a_dataset_is_read_back(work):
    dataset = ambidex.read(work / "data")
    with dataset[0] as stored:
        assert stored.episode.success and stored.episode.joint_actions.shape == (400, 14)


def test_an_expert_solves_its_task():
    env = ambidex.make("transfer_cube", cameras=())
    assert ambidex.rollout(env, ambidex.make_expert(env), seed=100_000).success


def test_results_print_in_one_line(work):
    env = ambidex.make("transfer_cube", cameras=())
    result = ambidex.rollout(env, ambidex.make_expert(env), seed=100_000, stop_at_success=True)
    dataset = ambidex.read(work / "data")
    with dataset[0] as stored:
        values = (env, env.observe(), result, dataset, stored, stored.episode)
    crashed = ambidex.rollout(env, object(), seed=0)
    assert "AttributeError" in repr(crashed)
    policy, (comparison,) = ambidex.load(work / "run"), compared(work)
    agents = [ambidex.make_agent(policy, env, execution=mode) for mode in ("chunk", "first", "ensemble")]
    values += (*agents, *ambidex.record(record_config(work, resume=True)), comparison, comparison.a, comparison.b)
    for value in (*values, crashed):
        text = repr(value)
        assert type(value).__name__.removeprefix("Shown") in text and "array" not in text and " object at " not in text
        assert len(text.splitlines()) == 1
        assert len(text) < 500


def test_an_agent_of_ones_own_has_a_control_mode_and_images(tmp_path):
    class Looking:
        def __init__(self, env):
            self.spec = env.spec

        def reset(self, observation, seed):
            self.image = observation.image("top")

        def act(self, observation):
            action = np.zeros(len(self.spec.action_names), np.float32)
            action[[3, 11]] = 1.0  # w of both quaternions
            return action

    config = ambidex.BenchmarkConfig(
        policy="looking", control="ee", task="transfer_cube", horizon=2, episodes=1, video="none",
        output_dir=tmp_path, workers=0, quiet=True,
    )  # fmt: skip
    summary = ambidex.benchmark(config, agent_factory=Looking)
    assert [(row.outcome, row.steps) for row in summary.rows] == [("failure", 2)]
    assert summary.info.env_specs["transfer_cube"].control == "ee"


def test_an_agent_of_ones_own_is_evaluated_under_its_own_name(work, tmp_path):
    config = ambidex.BenchmarkConfig(
        policy="patient", task="transfer_cube", episodes=1, video="none", output_dir=str(tmp_path), workers=0,
        quiet=True,
    )  # fmt: skip
    summary = ambidex.benchmark(config, agent_factory=lambda env: ambidex.make_expert(env))  # need not be picklable
    assert [(row.policy, row.success) for row in summary.rows] == [("patient", True)]
    assert "patient" in repr(summary)
    again = ambidex.benchmark(replace(config, resume=True), agent_factory=lambda env: ambidex.make_expert(env))
    assert again.rows == summary.rows


def test_an_agent_in_this_process_acts_as_the_benchmark_does(work):
    env = ambidex.make("transfer_cube", cameras=())
    policy = ambidex.load(work / "run")
    result = ambidex.rollout(env, ambidex.make_agent(policy, env), seed=100_000, stop_at_success=True)
    with np.load(work / "act" / "states" / "transfer_cube" / "100000.npz") as stored:
        np.testing.assert_array_equal(result.states, stored["states"])
        np.testing.assert_array_equal(result.actions, stored["actions"])


def test_an_agent_needs_an_environment_that_fits(work):
    policy = ambidex.load(work / "run")
    with pytest.raises(UsageError) as caught:
        ambidex.make_agent(policy, ambidex.make("transfer_cube", control="ee", cameras=()).spec)
    assert "control" in caught.value.facts["fields"]


def test_the_maker_of_agents_is_named():
    for function in (ambidex.record, ambidex.benchmark):
        parameter = inspect.signature(function).parameters["agent_factory"]
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY


def test_results_are_compared(work):
    (comparison,) = compared(work)
    assert str(comparison).startswith("No difference shown")
    assert comparison.together.counts.both + comparison.together.counts.only_b == 1


def test_an_environment_that_is_not_closed_ends_quietly_with_the_program():
    program = """
import tempfile
folder = tempfile.TemporaryDirectory()  # has a finalizer, registered before the renderer's
import ambidex
env = ambidex.make("transfer_cube", cameras="top", image_size=(48, 64))
env.reset(0).images()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
