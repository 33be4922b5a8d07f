"""LIBERO's tasks under the protocols of other projects, and as definitions of one's own."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarking_fakes import FIRST, HOLD
from goal_states import rows_with_the_stove_on_in
from torch_file import write_states

from ambidex.benchmarks.evaluation.agents import HoldAgent, RandomAgent
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.envs.env import make
from ambidex.flags import parse_command

TASK = "libero_goal/put_the_bowl_on_the_stove"
SAMPLED = "starts of our own instead of --init-states"
LIBERO = replace(HOLD, task="libero_goal/1", episodes=None)


def plan(**changes):
    return make_plan(replace(LIBERO, **changes))


@pytest.mark.parametrize(
    ("protocol", "suite", "horizon", "settle_steps", "episodes"),
    [
        ("openvla", "libero_spatial", 220, 10, 50),
        ("openvla", "libero_object", 280, 10, 50),
        ("openvla", "libero_goal", 300, 10, 50),
        ("openvla", "libero_10", 520, 10, 50),
        ("openvla", "libero_90", 400, 10, 50),
        ("lerobot", "libero_spatial", 280, 10, 10),
        ("lerobot", "libero_10", 520, 10, 10),
        ("libero", "libero_spatial", 600, 5, 20),
        ("libero", "libero_90", 600, 5, 20),
    ],
)
def test_a_protocol_sets_how_tasks_are_run(protocol, suite, horizon, settle_steps, episodes):
    made = plan(task=None, suite=suite, protocol=protocol)
    settings = made.task_settings
    assert (settings.horizon, settings.settle_steps, settings.success) == (horizon, settle_steps, "libero")
    assert made.config.episodes == episodes and len(made.episodes) == episodes * len(made.tasks)
    assert settings.settle_gripper == ("hold" if protocol == "libero" else "open")
    assert made.protocol == f"{protocol}, but {SAMPLED}" and made.directory == Path(f"results/hold-{suite}-{protocol}")


def test_without_a_protocol_flags_have_their_defaults():
    made = plan()
    settings = made.task_settings
    assert (settings.success, settings.horizon, settings.settle_steps) == ("strict", None, 0)
    assert made.tasks == (TASK,) and made.config.episodes == 50 and made.protocol == ""


def test_flags_override_the_protocol_and_are_named_as_deviations():
    made = plan(protocol="openvla", horizon=100, success="strict", episodes=50)
    assert (made.task_settings.horizon, made.task_settings.success, made.config.episodes) == (100, "strict", 50)
    deviations = "--horizon 100 instead of 300 and --success strict instead of libero"
    assert made.protocol == f"openvla, but {SAMPLED} and {deviations}"


def test_the_resume_command_gives_the_same_plan():
    made = plan(protocol="lerobot", horizon=100)
    again = make_plan(
        replace(parse_command("run-benchmark", made.resume_command, BenchmarkConfig), workers=0, quiet=True)
    )
    assert again.config == replace(made.config, resume=True)
    assert "--settle-steps" not in made.resume_command and "--horizon 100" in made.resume_command


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Two short episodes of the hold agent under a protocol."""
    directory = tmp_path_factory.mktemp("short") / "results"
    summary = benchmark(replace(LIBERO, protocol="libero", episodes=2, horizon=8, output_dir=directory))
    return directory, summary


def test_results_name_the_protocol_and_its_deviations(short):
    directory, summary = short
    assert summary.complete and [row.steps for row in ResultsFolder(directory).rows] == [8, 8]
    stored = f"libero, but {SAMPLED} and --horizon 8 instead of 600 and --episodes 2 instead of 20"
    assert BenchmarkInfo.read(directory).protocol == stored
    assert json.loads((directory / "summary.json").read_text())["protocol"] == stored
    assert f"Protocol: {stored}." in str(summary) and "LIBERO's criterion" in str(summary)
    spec = BenchmarkInfo.read(directory).env_specs[TASK]
    assert (spec.success, spec.horizon, spec.settle_steps, spec.settle_gripper) == ("libero", 8, 5, "hold")


def test_results_of_an_older_version_have_no_protocol(short, tmp_path):
    values = json.loads((short[0] / "benchmark.json").read_text())
    del values["protocol"]
    (tmp_path / "benchmark.json").write_text(json.dumps(values))
    assert BenchmarkInfo.read(tmp_path).protocol == ""


def test_states_are_stored_under_the_last_part_of_the_task_name(short):
    directory, _ = short
    results = ResultsFolder(directory)
    path = results.states_path(TASK, FIRST)
    assert path == directory / "states" / "put_the_bowl_on_the_stove" / f"{FIRST}.npz"
    assert len(EpisodeStates.read(path).states) == 9
    assert results.states_path("/home/me/my_task.bddl", 1) == directory / "states" / "my_task" / "1.npz"


def test_the_hold_agent_neither_moves_nor_uses_the_gripper(short):
    directory, _ = short
    actions = EpisodeStates.read(ResultsFolder(directory).states_path(TASK, FIRST)).actions
    assert not actions.any()
    env = make("libero_goal/1", control="joint", cameras=())
    agent, first = HoldAgent(env), env.reset(FIRST)
    agent.reset(first, FIRST)
    assert np.array_equal(agent.act(first), first.qpos.astype(np.float32))


def test_the_random_agent_acts_within_the_limits():
    env = make("libero_goal/1", cameras=())
    agent, observation = RandomAgent(env), env.reset(0)
    agent.reset(observation, 0)
    actions = np.stack([agent.act(observation) for _ in range(200)])
    assert actions.shape == (200, 7) and actions.min() >= -1 and actions.max() <= 1
    assert (actions.min(0) < -0.5).all() and (actions.max(0) > 0.5).all() and len(np.unique(actions[:, 0])) == 20


def test_a_definition_of_ones_own_can_be_evaluated(tmp_path):
    own = tmp_path / "my_task.bddl"
    own.write_text(Path(make("libero_goal/1", cameras=()).task.problem.source).read_text())
    config = replace(LIBERO, task=None, bddl_file=own, episodes=1, horizon=3, output_dir=tmp_path / "results")
    summary = benchmark(config)
    assert summary.complete and ResultsFolder(tmp_path / "results").rows[0].task == str(own)
    assert (tmp_path / "results" / "states" / "my_task" / f"{FIRST}.npz").is_file()
    assert make_plan(replace(config, output_dir=None)).directory == Path("results/hold-my_task")


def test_episodes_whose_goal_holds_at_the_start_are_counted(tmp_path):
    states = write_states(tmp_path / "stove.pruned_init", rows_with_the_stove_on_in(1))
    config = replace(LIBERO, task="libero_goal/7", init_states=states, episodes=2, horizon=3, settle_steps=2)
    summary = benchmark(replace(config, output_dir=tmp_path / "results"))
    note = f"first action in 1 episode, which count as they ended: libero_goal/turn_on_the_stove seed {FIRST + 1}."
    results = ResultsFolder(tmp_path / "results")
    assert [row.solved_at_start for row in results.rows] == [False, True]
    lines = (results.path / "results.jsonl").read_text().splitlines()
    assert ["solved_at_start" in line for line in lines] == [False, True]
    assert str(summary).count(note) == 1 and note in json.loads((results.path / "summary.json").read_text())["warning"]
    (run,) = read_runs([results.path], VideoStyle())
    assert note in run.warning
