"""A simulated cell behind the interface of a robot gives the outcomes of the benchmark."""

from dataclasses import replace

import numpy as np
import pytest
from robot_fakes import Replay
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.robot.config import RobotConfig
from ambidex.benchmarks.robot.evaluation import evaluate
from ambidex.benchmarks.robot.protocol import RobotRequest
from ambidex.benchmarks.robot.rollout import SimulatedClock
from ambidex.benchmarks.robot.simulated import SimulatedRobot
from ambidex.envs.env import make
from ambidex.errors import AmbidexError

SIMULATED = "ambidex.benchmarks.robot.simulated:SimulatedRobot"
SAME = ("task", "seed", "outcome", "stage", "stage_name", "steps", "checks", "reason", "execution", "codes")


def both(folder, task, policy, *, load=None, **changes):
    """Rows of the benchmark, and of the same policy on the simulated robot."""
    benchmarked = BenchmarkConfig(
        policy=policy, task=task, output_dir=folder / "simulation", workers=0, episodes=2, video="none", quiet=True
    )
    driven = RobotConfig(
        robot=SIMULATED,
        policy=policy,
        task=task,
        output_dir=folder / "robot",
        rollouts=2,
        verdicts="robot",
        video="none",
        quiet=True,
    )
    benchmark(replace(benchmarked, **changes), load=load)
    evaluate(replace(driven, **changes), load=load, clock=SimulatedClock)
    return [ResultsFolder(folder / name).rows for name in ("simulation", "robot")]


def assert_same(simulation, robot):
    assert len(simulation) == len(robot) == 2
    for one, other in zip(simulation, robot, strict=True):
        assert {name: getattr(one, name) for name in SAME} == {name: getattr(other, name) for name in SAME}


@pytest.mark.parametrize("task", ["transfer_cube", "libero_goal/turn_on_the_stove"])
def test_a_policy_has_the_same_outcomes_as_in_the_benchmark(tmp_path, task):
    expert = BenchmarkConfig(
        policy="scripted", task=task, output_dir=tmp_path / "expert", workers=0, episodes=2, video="none", quiet=True
    )
    benchmark(expert)
    states = ResultsFolder(tmp_path / "expert").states_path
    Replay.actions = {seed: EpisodeStates.read(states(task, seed)).actions for seed in (100_000, 100_001)}
    Replay.actions[100_001] = Replay.actions[100_001][:60]  # a failure
    simulation, robot = both(tmp_path, task, "robot_fakes:Replay")
    assert_same(simulation, robot)
    assert [str(row.outcome) for row in robot] == ["success", "failure"]


def test_a_trained_policy_with_images_acts_as_in_the_benchmark(tmp_path):
    spec = make("insertion", cameras=("top",), image_size=(24, 32)).spec
    checkpoint = write_checkpoint(tmp_path / "run" / "checkpoints" / "100")
    simulation, robot = both(
        tmp_path,
        "insertion",
        "act",
        load=lambda path: ToyPolicy(spec, objects=True),
        checkpoint=checkpoint,
        horizon=120,
    )
    assert_same(simulation, robot)
    info = ResultsFolder(tmp_path / "robot").info
    assert info.execution == "chunk:50" and info.checkpoint and info.env_specs["insertion"].image_size == (24, 32)


def test_its_images_are_those_of_the_moment_that_they_belong_to():
    robot = SimulatedRobot(RobotRequest(task="insertion", cameras=("top",), image_size=(24, 32)))
    try:
        robot.home(100_000)
        before = robot.observe()
        goal = before.qpos.astype(np.float32) + np.float32(0.2)
        for _ in range(20):
            robot.act(goal)
        later = robot.observe()
        old, new = before.images["top"], later.images["top"]
        assert list(before.images) == ["top"] and old.shape == (24, 32, 3)
        assert not np.array_equal(old, new) and np.array_equal(old, before.images["top"])
        assert robot.verdict() is None
    finally:
        robot.close()
        robot.close()


@pytest.mark.parametrize("request_", [RobotRequest(task="fly"), RobotRequest(task="insertion", cameras=("moon",))])
def test_an_impossible_request_is_an_error(request_):
    with pytest.raises(AmbidexError, match=r"fly|moon"):
        SimulatedRobot(request_)


def test_the_death_of_its_process_is_an_error():
    robot = SimulatedRobot(RobotRequest(task="insertion", cameras=()))
    robot._process._process.kill()
    with pytest.raises(AmbidexError, match="ended"):
        robot.observe()
    robot.close()
