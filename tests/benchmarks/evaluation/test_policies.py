"""Benchmarks of a toy policy whose predictions depend on every bit of its inputs."""

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest
import torch
from act_samples import make_statistics
from benchmarking_fakes import FIRST, HOLD, assert_same_results, rows_of
from toy_policy import CHUNK, CODES, CodedToyPolicy, FailingPolicy, RandomPolicy, ToyPolicy, write_checkpoint

from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.envs.env import Environment, make
from ambidex.errors import UsageError
from ambidex.policies.act.config import preset
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.serving.client import PolicyClient
from ambidex.policies.serving.server import PolicyServer

SPEC = make("insertion", cameras=("top",), image_size=(24, 32)).spec
CHUNKS = 3  # of an episode
POLICY = replace(HOLD, policy="act", episodes=3, horizon=CHUNKS * CHUNK, device="cpu")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("run") / "checkpoints" / "100")


@pytest.fixture
def run(tmp_path, checkpoint):
    """Runs a benchmark of a policy that is loaded as `checkpoint`."""

    def run_policy(directory=tmp_path, kind=ToyPolicy, *, spec=SPEC, cameras=("top",), objects=False, **changes):
        config = replace(POLICY, **{"output_dir": directory, "checkpoint": checkpoint, **changes})
        return benchmark(config, load=lambda path: kind(spec, cameras=cameras, objects=objects))

    return run_policy


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, checkpoint):
    """Results of an uninterrupted run with one worker."""
    return uninterrupted_results(ToyPolicy, checkpoint, tmp_path_factory, workers=1)


def uninterrupted_results(kind, checkpoint, tmp_path_factory, **changes):
    config = replace(POLICY, output_dir=tmp_path_factory.mktemp("whole") / "results", checkpoint=checkpoint, **changes)
    assert benchmark(config, load=lambda path: kind(SPEC)).complete
    return config.output_dir


@pytest.mark.parametrize("workers", [0, 2])
def test_results_are_bitwise_equal_with_any_number_of_workers(uninterrupted, tmp_path, run, workers):
    run(workers=workers)
    assert_same_results(uninterrupted, tmp_path)


@pytest.mark.parametrize("observations", [pytest.param("state", marks=pytest.mark.slow), "images"])
def test_results_of_act_are_bitwise_equal_with_any_number_of_workers(tmp_path, checkpoint, observations):
    torch.manual_seed(0)
    spec = make("insertion", cameras=("top",) if observations == "images" else (), image_size=(48, 64)).spec
    policy = ActPolicy(preset("tiny", observations).config, spec, make_statistics())
    for workers in (0, 2):
        config = replace(POLICY, output_dir=tmp_path / str(workers), checkpoint=checkpoint, workers=workers, episodes=2)
        assert benchmark(config, load=lambda path: policy).complete
    assert_same_results(tmp_path / "0", tmp_path / "2")
    assert {row["outcome"] for row in rows_of(tmp_path / "0")} == {"failure"}


def test_results_are_bitwise_equal_after_resume(uninterrupted, tmp_path, run):
    run(episodes=1)
    run(resume=True, workers=1)
    lines = (tmp_path / "results.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "results.jsonl").write_text(lines[0] + lines[1][:40])
    ResultsFolder(tmp_path).states_path("insertion", FIRST + 2).unlink()
    run(resume=True, workers=0)
    assert_same_results(uninterrupted, tmp_path)


def test_the_toy_policy_acts_differently_from_every_initial_state(uninterrupted):
    """Otherwise the tests above would prove nothing."""
    first, second = (
        EpisodeStates.read(ResultsFolder(uninterrupted).states_path("insertion", FIRST + i)).actions for i in range(2)
    )
    assert not np.array_equal(first, second)
    assert np.ptp(first, axis=0).min() > 0


def test_images_are_rendered_only_for_predictions(tmp_path, run, monkeypatch):
    rendered = []
    render = Environment.render

    def counting(self, state, camera):
        rendered.append(camera)
        return render(self, state, camera)

    monkeypatch.setattr(Environment, "render", counting)
    summary = run(workers=0)
    warm_up, requests = 1, POLICY.episodes * CHUNKS
    assert rendered == ["top"] * (warm_up + requests)
    assert summary.info.env_specs["insertion"].cameras == ("top",)


def test_a_policy_without_cameras_renders_nothing(tmp_path, run, monkeypatch):
    monkeypatch.setattr(Environment, "render", None)
    summary = run(spec=replace(SPEC, cameras=()), cameras=(), objects=True, episodes=1)
    assert summary.complete and summary.overall.errors == 0


@pytest.mark.parametrize(("execution", "steps", "name"), [("chunk", 20, "chunk:20"), ("first", None, "first")])
def test_rows_and_summary_have_the_execution(tmp_path, run, execution, steps, name):
    summary = run(execution=execution, execute_steps=steps, episodes=1, spec=replace(SPEC, image_size=(8, 8)))
    assert {row["execution"] for row in rows_of(tmp_path)} == {name} == {summary.to_dict()["execution"]}


def test_executions_act_differently(uninterrupted, tmp_path, run):
    folders = {"chunk:50": uninterrupted}
    for execution in ("first", "ensemble"):
        run(tmp_path / execution, execution=execution, episodes=1)
        folders[execution] = tmp_path / execution
    actions = [
        EpisodeStates.read(ResultsFolder(path).states_path("insertion", FIRST)).actions for path in folders.values()
    ]
    np.testing.assert_array_equal(actions[0][0], actions[1][0])
    assert not any(np.array_equal(a, b) for a, b in pairwise(actions))


def test_failed_predictions_and_actions_that_are_not_finite_are_errors_of_their_episodes(tmp_path, run, monkeypatch):
    ask = PolicyClient.predict
    first = {0: 10.0, 1: -10.0, 2: 0.0}

    def shifted(self, observation):
        qpos = observation.qpos + first[len(starts) - 1]
        return ask(self, replace(observation, qpos=qpos))

    starts = []
    reset = Environment.reset
    monkeypatch.setattr(Environment, "reset", lambda self, seed: (seed and starts.append(seed)) or reset(self, seed))
    monkeypatch.setattr(PolicyClient, "predict", shifted)
    run(kind=FailingPolicy, workers=0)
    rows = ResultsFolder(tmp_path).rows
    assert [row.outcome for row in rows] == ["error", "error", "failure"]
    assert "ValueError: this is no arm" in rows[0].error and "not finite" in rows[1].error


def test_debug_prints_the_traceback_of_a_failed_prediction(tmp_path, run, monkeypatch, capsys):
    ask = PolicyClient.predict
    monkeypatch.setattr(PolicyClient, "predict", lambda self, o: ask(self, replace(o, qpos=o.qpos + 10.0)))
    for debug in (False, True):
        run(tmp_path / str(debug), kind=FailingPolicy, workers=0, debug=debug, episodes=2)
        shown = capsys.readouterr().err
        assert shown.count('raise ValueError("this is no arm")') == 2 * debug  # of each episode
        rows = ResultsFolder(tmp_path / str(debug)).rows
        assert all('raise ValueError("this is no arm")' in row.error for row in rows)


def test_episodes_have_no_row_if_the_server_is_gone(tmp_path, run, monkeypatch):
    ask, servers = PolicyClient.predict, []
    serve = PolicyServer.serve
    monkeypatch.setattr(PolicyServer, "serve", lambda self, *a, **k: servers.append(self) or serve(self, *a, **k))

    def last(self, observation):
        if len(ResultsFolder(tmp_path).rows) == 1:
            servers[0].close()
        return ask(self, observation)

    monkeypatch.setattr(PolicyClient, "predict", last)
    summary = run(workers=0)
    assert len(summary.rows) == 1 and not summary.complete
    assert all("server is gone" in line for line in summary.worker_errors) and len(summary.worker_errors) == 2


def test_results_have_the_checkpoint_and_how_it_was_served(uninterrupted, checkpoint):
    info = BenchmarkInfo.read(uninterrupted)
    assert info.checkpoint.path == str(checkpoint)
    assert info.checkpoint.sha256 == sha256(b"toy").hexdigest()
    assert (info.serving.device, info.serving.lanes, info.serving.notes) == ("cpu", 1, ())
    assert "torch" in info.versions and f"--checkpoint {checkpoint}" in info.command


def test_results_that_cannot_be_reproduced_have_a_note(tmp_path, run):
    summary = run(kind=RandomPolicy, episodes=1)
    assert "differently each time" in str(summary)
    assert "differently each time" in (tmp_path / "summary.json").read_text()


def test_a_task_that_the_policy_was_not_trained_on_is_run_with_a_warning(uninterrupted, tmp_path, run, capfd):
    summary = run(episodes=1, spec=replace(SPEC, task="transfer_cube+stack"), quiet=False)
    warning = "The policy was not trained on insertion, but on transfer_cube and stack: what it does there is"
    assert summary.complete and f"\n{warning} generalisation.\n" in str(summary)
    assert warning in capfd.readouterr().err.splitlines()[1]
    assert BenchmarkInfo.read(tmp_path).warning.startswith(warning)
    for file in ("summary.json", "report.html"):
        assert warning in (tmp_path / file).read_text()
    assert (
        BenchmarkInfo.read(uninterrupted).warning == "" and "trained" not in (uninterrupted / "report.html").read_text()
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"spec": replace(SPEC, control_hz=20.0)}, "control_hz"),
        ({"spec": replace(SPEC, robot="panda")}, "robot"),
        ({"spec": replace(SPEC, joint_names=("a",))}, "joint_names"),
        ({"spec": replace(SPEC, object_names=("cube",)), "objects": True}, "object_names"),
        ({"cameras": ("sideways",)}, "sideways"),
        ({"cameras": ("sideways",), "spec": replace(SPEC, control_hz=20.0)}, "control_hz.*needs sideways.*has .*top"),
        ({"execute_steps": 51}, "--execute-steps 51"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused_before_anything_is_written(tmp_path, run, changes, match):
    with pytest.raises(UsageError, match=match):
        run(tmp_path / "new", **changes)
    assert not (tmp_path / "new").exists()


def test_a_checkpoint_of_another_policy_is_refused(tmp_path, run):
    class Other(ToyPolicy):
        name = "robovlms"

    with pytest.raises(UsageError) as raised:
        run(tmp_path / "new", kind=Other)
    assert (raised.value.facts["got"], raised.value.facts["expected"]) == ("robovlms", "act")


def test_resume_with_other_weights_is_refused(tmp_path, run):
    run(episodes=1)
    other = write_checkpoint(tmp_path / "other", b"other weights")
    with pytest.raises(UsageError, match="has other weights"):
        run(resume=True, checkpoint=other)


def test_resume_accepts_the_same_weights_elsewhere(uninterrupted, tmp_path, run):
    run(episodes=1)
    run(resume=True, checkpoint=write_checkpoint(tmp_path / "moved"))
    assert_same_results(uninterrupted, tmp_path)


@pytest.fixture(scope="module")
def coded(tmp_path_factory, checkpoint):
    """Results of a policy that chooses a code every 50 steps."""
    return uninterrupted_results(CodedToyPolicy, checkpoint, tmp_path_factory)


def test_rows_have_the_code_of_each_step(coded):
    for row in ResultsFolder(coded).rows:
        codes = [code for code, steps in row.codes for _ in range(steps)]
        assert len(codes) == row.steps == POLICY.horizon and set(codes) <= set(range(CODES)) and len(row.codes) > 1
        assert all(steps % CHUNK == 0 for _, steps in row.codes)


def test_codes_are_the_same_with_any_number_of_workers(coded, tmp_path, run):
    run(kind=CodedToyPolicy, workers=2)
    assert_same_results(coded, tmp_path)


def test_rows_of_policies_without_codes_have_no_codes_key(uninterrupted):
    assert all("codes" not in row for row in rows_of(uninterrupted))
    assert all(row.codes == () for row in ResultsFolder(uninterrupted).rows)


def test_one_code_can_be_fixed(tmp_path, run):
    summary = run(kind=CodedToyPolicy, code=17, episodes=2)
    assert all(row.codes == ((17, POLICY.horizon),) and row.execution == "chunk:50 code:17" for row in summary.rows)
    assert summary.info.execution == "chunk:50 code:17" and "--code 17" in summary.info.command
    with pytest.raises(UsageError, match="--code was 17, now 3"):
        run(kind=CodedToyPolicy, code=3, resume=True)
    with pytest.raises(UsageError, match="--code was 17, now auto"):
        run(kind=CodedToyPolicy, resume=True)
    assert run(kind=CodedToyPolicy, code=17, resume=True).complete


def test_two_codes_can_be_compared(tmp_path, run):
    folders = (tmp_path / "one", tmp_path / "other")
    for folder, code in zip(folders, (3, 17), strict=True):
        run(folder, kind=CodedToyPolicy, code=code)
    (comparison,) = compare(CompareConfig(results=folders))
    assert [side.policy for side in (comparison.a, comparison.b)] == ["act, chunk:50 code:3", "act, chunk:50 code:17"]


@pytest.mark.parametrize(
    ("kind", "code", "match"),
    [(CodedToyPolicy, CODES, f"there are {CODES}"), (ToyPolicy, 3, "code 3: act has no codes")],
)
def test_an_unknown_code_is_refused_before_anything_is_written(tmp_path, run, kind, code, match):
    with pytest.raises(UsageError, match=match):
        run(tmp_path / "new", kind=kind, code=code)
    assert not (tmp_path / "new").exists()
