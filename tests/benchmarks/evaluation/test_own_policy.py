"""Functions, agents and makers of agents as policies, from Python and as MODULE:NAME."""

import hashlib
import pickle
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import ambidex
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.own_policy import OwnPolicy, is_address
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.run_benchmark import main
from ambidex.envs.env import Environment
from ambidex.errors import UsageError

SHORT = {"task": "transfer_cube", "episodes": 1, "horizon": 2, "video": "none", "quiet": True}
MODULE = """
def still(observation):
    return observation.qpos
"""


class Holding:
    def __init__(self, env):
        self.joints = len(env.spec.joint_names)

    def reset(self, observation, seed):
        self.action = observation.qpos.astype(np.float32)

    def act(self, observation):
        return self.action


class Repeating:
    """Not made from an environment."""

    def reset(self, observation, seed):
        self.seeds = [*getattr(self, "seeds", []), seed]

    def act(self, observation):
        return observation.qpos

    def method(self, observation):
        return observation.qpos


def still(observation):
    return observation.qpos


def make_holding(env):
    return Holding(env)


def annotated(cell: Environment):
    return Holding(cell)


def scaled(factor, observation):
    return factor * observation.qpos


class Chunked(Repeating):
    def __init__(self, chunk=4):
        self.chunk = chunk + 1  # fails with an environment


class Optional(Holding):
    def __init__(self, env=None):
        super().__init__(env)


class Callable_:  # noqa: N801
    def __call__(self, observation):
        return observation.qpos


FORMS = [still, Holding, make_holding, annotated, Repeating(), Repeating().method, partial(scaled, 1.0), Callable_()]
FORMS += [Repeating, Chunked, Optional]


@pytest.fixture(scope="module")
def env():
    return ambidex.make("transfer_cube", cameras=(), horizon=2)


@pytest.mark.parametrize("code", FORMS, ids=lambda code: getattr(code, "__name__", type(code).__name__))
def test_all_forms_act_alike(code, env):
    own = pickle.loads(pickle.dumps(OwnPolicy.of(code)))
    result = ambidex.rollout(env, own(env), 100_000)
    np.testing.assert_array_equal(result.actions[0], result.qpos[0])
    assert result.outcome == "failure" and result.actions.dtype == np.float32


def no_argument():
    return Holding


class TwoArguments(Holding):
    def __init__(self, env, model):
        super().__init__(env)


class WithoutWeights(Repeating):
    def __init__(self):
        raise FileNotFoundError("weights.pt")


@pytest.mark.parametrize("code", [3, None, "act", no_argument, scaled, TwoArguments])
def test_what_is_no_policy_is_refused(code):
    with pytest.raises(UsageError):
        OwnPolicy.of(code)


def test_an_error_of_a_constructor_names_the_class(env):
    with pytest.raises(UsageError, match=f"{__name__}:WithoutWeights .*FileNotFoundError: weights.pt"):
        OwnPolicy.of(WithoutWeights)(env)


def test_a_maker_that_makes_no_agent_is_refused(env):
    with pytest.raises(UsageError) as info:
        OwnPolicy(lambda env: 3, makes_agents=True)(env)
    assert info.value.facts["got"] == "int"


def test_a_function_is_benchmarked_under_its_name_with_its_source(tmp_path):
    summary = ambidex.benchmark(still, name="mine", output_dir=tmp_path, **SHORT)
    assert [(row.policy, row.outcome) for row in summary.rows] == [("mine", "failure")]
    info = BenchmarkInfo.read(tmp_path)
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    assert (info.policy, info.source.qualified_name, info.source.sha256) == ("mine", "still", digest)
    assert (info.source.module, info.source.file) == (__name__, __file__)
    again = ambidex.benchmark(still, name="mine", output_dir=tmp_path, resume=True, **{**SHORT, "episodes": 2})
    assert len(again.rows) == 2 and "benchmark" in again.resume_command


def test_an_agent_need_not_be_picklable_and_is_used_as_it_is(tmp_path):
    agent = Repeating()
    agent.lock = sys.stdout  # cannot be sent to a worker
    summary = ambidex.benchmark(agent, output_dir=tmp_path, **{**SHORT, "episodes": 2})
    assert agent.seeds == [100_000, 100_001]
    assert {row.policy for row in summary.rows} == {f"{__name__}:Repeating"}


def test_an_error_of_a_function_is_a_row_and_is_printed(tmp_path, capsys):
    def broken(observation):
        raise ValueError("no idea")

    (row,) = ambidex.benchmark(broken, output_dir=tmp_path, **SHORT).rows
    assert row.outcome == "error" and "no idea" in row.error
    assert "1 of 1 episode ended with an error" in (printed := capsys.readouterr().err) and "no idea" in printed


@pytest.mark.parametrize("settings", [{"name": "act"}, {"name": "a/b"}, {"tasks": "insertion"}, {"device": "cpu"}])
def test_wrong_settings_are_refused(settings, tmp_path):
    with pytest.raises(UsageError):
        ambidex.benchmark(still, output_dir=tmp_path / "new", **{**SHORT, **settings})
    assert not (tmp_path / "new").exists()


def test_settings_stand_in_the_config_if_there_is_one():
    with pytest.raises(UsageError):
        ambidex.benchmark(BenchmarkConfig(policy="hold"), name="mine")


def test_the_default_folder_has_the_name():
    config = BenchmarkConfig(policy="my.module:still", task="insertion", video="none")
    assert make_plan(config).directory == Path("results/my.module-still-insertion")
    named = BenchmarkConfig(policy="my.module:still", policy_name="mine", task="insertion", video="none")
    plan = make_plan(named)
    assert plan.directory == Path("results/mine-insertion")
    assert "--policy my.module:still" in plan.resume_command and "--policy-name mine" in plan.resume_command


@pytest.mark.parametrize("name", ["act", "a:", ":b", "a b:c", "f:<lambda>", "C:\\x", "ws://a:1"])
def test_addresses_are_module_and_name(name):
    assert is_address("my.module:Class.make") and not is_address(name)


def run(*words):
    with pytest.raises(SystemExit) as end:
        main(["--horizon", "2", "--episodes", "1", "--video", "none", "--workers", "0", "--quiet", *words])
    return end.value.code


def test_the_command_imports_code_of_the_current_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_code_of_a_test.py").write_text(MODULE)
    address = "own_code_of_a_test:still"
    assert run("--policy", address, "--task", "transfer_cube", "--output-dir", "out") == 0
    assert BenchmarkInfo.read(tmp_path / "out").source.file == str(tmp_path / "own_code_of_a_test.py")
    del sys.modules["own_code_of_a_test"]
    with pytest.raises(SystemExit) as end:  # a file must not decide what is imported
        main(["--resume", "--output-dir", "out"])
    assert end.value.code == 2 and "own_code_of_a_test" not in sys.modules
    assert run("--policy", address, "--task", "transfer_cube", "--output-dir", "out", "--resume") == 0
    (tmp_path / "own_code_of_a_test.py").write_text(f"{MODULE}GAIN = 2\n")
    again = ("--policy", address, "--task", "transfer_cube", "--output-dir", "out", "--resume")
    del sys.modules["own_code_of_a_test"]
    assert run(*again, "--episodes", "2") == 2 and address in capsys.readouterr().err
    for wrong in ("own_code_of_a_test:missing", "own_code_nowhere:x"):
        assert run("--policy", wrong, "--task", "transfer_cube", "--output-dir", "wrong") == 2
    assert not (tmp_path / "wrong").exists()
    sys.modules.pop("own_code_of_a_test", None)
