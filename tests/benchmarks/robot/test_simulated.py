"""A simulated cell behind the interface of a robot gives the outcomes of the benchmark."""

from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest
from fake_policy_server import FakePolicyServer
from history_policy import EncodingPolicy
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
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.remote.array_codec import pack
from ambidex.policies.serving import batcher
from ambidex.policies.serving.fixed_batch import make_fixed_batch

SIMULATED = "ambidex.benchmarks.robot.simulated:SimulatedRobot"
IN_SIMULATION = {"workers": 0, "episodes": 2}
ON_ROBOT = {"robot": SIMULATED, "rollouts": 2, "verdicts": "robot"}
SAME = ("task", "seed", "outcome", "stage", "stage_name", "steps", "checks", "reason", "execution", "codes")


def run_one(name, folder, task, policy, *, load=None, **changes):
    """Run two episodes in the benchmark ("simulation") or on the robot ("robot"), into a folder of that name."""
    kind, own = (BenchmarkConfig, IN_SIMULATION) if name == "simulation" else (RobotConfig, ON_ROBOT)
    known = {field.name for field in fields(kind)}
    chosen = {name: value for name, value in changes.items() if name in known}
    config = kind(policy=policy, task=task, output_dir=folder / name, video="none", quiet=True, **{**own, **chosen})
    if name == "simulation":
        benchmark(config, load=load)
    else:
        evaluate(config, load=load, clock=SimulatedClock)
    return ResultsFolder(folder / name).rows


def both(folder, task, policy, **changes):
    """Rows of the benchmark, and of the same policy on the simulated robot."""
    return [run_one(name, folder, task, policy, **changes) for name in ("simulation", "robot")]


def assert_same(simulation, robot):
    assert len(simulation) == len(robot) == 2
    for one, other in zip(simulation, robot, strict=True):
        assert {name: getattr(one, name) for name in SAME} == {name: getattr(other, name) for name in SAME}


@pytest.mark.parametrize(("task", "horizon"), [("transfer_cube", None), ("libero_goal/turn_on_the_stove", 150)])
def test_a_policy_has_the_same_outcomes_as_in_the_benchmark(tmp_path, task, horizon):
    run_one("simulation", tmp_path / "expert", task, "scripted", horizon=horizon)
    states = ResultsFolder(tmp_path / "expert" / "simulation").states_path
    Replay.actions = {seed: EpisodeStates.read(states(task, seed)).actions for seed in (100_000, 100_001)}
    Replay.actions[100_001] = Replay.actions[100_001][:60]  # a failure
    simulation, robot = both(tmp_path, task, "robot_fakes:Replay", horizon=horizon)
    assert_same(simulation, robot)
    assert [str(row.outcome) for row in robot] == ["success", "failure"]


def watched(policy):
    """The policy, and a list to which each prediction adds everything that it was made from."""
    seen, predict = [], policy.predict

    def predict_and_note(observation):
        parts = [observation.qpos, observation.objects, *observation.images.values()]
        parts += [] if observation.encoded_frames is None else [observation.encoded_frames]
        seen.append(b"".join(part.numpy().tobytes() for part in parts))
        return predict(observation)

    policy.predict = predict_and_note
    return policy, seen


@pytest.mark.parametrize("kind", [ToyPolicy, partial(EncodingPolicy, history=3, stride=2)])
def test_a_trained_policy_sees_every_bit_that_it_sees_in_the_benchmark(tmp_path, kind):
    spec = make("insertion", cameras=("top",), image_size=(24, 32)).spec
    checkpoint = write_checkpoint(tmp_path / "run" / "checkpoints" / "100")
    policies = []

    def load(path):
        policies.append(watched(kind(spec, cameras=("top",), objects=True)))
        return policies[-1][0]

    simulation, robot = both(
        tmp_path, "insertion", "act", load=load, checkpoint=checkpoint, horizon=60, execute_steps=5
    )
    assert_same(simulation, robot)
    (_, first), (_, second) = policies
    assert first == second and len(set(first)) > 20
    info = ResultsFolder(tmp_path / "robot").info
    assert info.execution == "chunk:5" and info.checkpoint and info.env_specs["insertion"].image_size == (24, 32)


def test_a_checkpoint_predicts_one_row_at_a_time_and_for_the_robot_that_it_is_given(tmp_path, monkeypatch):
    class TwoRobots(ToyPolicy):
        """It is at first that of the other robot."""

        def __init__(self):
            self._known = {embodiment_of(each): each for each in (other, spec)}
            super().__init__(other)

        @property
        def specs(self):
            return tuple(self._known.values())

        def use_embodiment(self, embodiment):
            self.spec = self._known[embodiment]

    def noted(policy, device, batch_size=None):
        sizes.append(batch_size)
        return make_fixed_batch(policy, device, batch_size)

    sizes, spec = [], make("insertion", cameras=("top",), image_size=(24, 32)).spec
    other = replace(spec, robot="another")
    monkeypatch.setattr(batcher, "make_fixed_batch", noted)
    changes = {"load": lambda path: TwoRobots(), "horizon": 5}
    checkpoint = write_checkpoint(tmp_path / "run" / "checkpoints" / "100")
    rows = run_one("robot", tmp_path, "insertion", "act", checkpoint=checkpoint, **changes)
    assert [(row.error, row.steps) for row in rows] == [("", 5)] * 2 and sizes == [1]
    assert ResultsFolder(tmp_path / "robot").info.serving.lanes == 1


def test_a_policy_on_a_server_gets_the_requests_of_the_benchmark(tmp_path):
    """LIBERO's states have parts that a robot must measure: the pose of the hand and the fingers."""

    def answer(request, number):
        return {"actions": 0.3 * np.sin(np.outer(np.arange(1, 11), request["observation/state"][:7]))}

    requests = []
    for name in ("simulation", "robot"):
        with FakePolicyServer(answer) as server:
            remote = {"url": server.url, "layout": "libero", "horizon": 12, "episodes": 2, "rollouts": 2}
            run_one(name, tmp_path, "libero_goal/turn_on_the_stove", "remote", **remote)
            requests.append(server.requests)
    in_simulation, on_robot = ([pack(request) for request in found[2:]] for found in requests)  # of episodes
    assert in_simulation == on_robot and len(set(on_robot)) == 2 * 3
    assert_same(*(ResultsFolder(tmp_path / name).rows for name in ("simulation", "robot")))


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
