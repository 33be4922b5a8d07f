import pytest
from benchmarking_fakes import HOLD, run_into

from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.errors import DatasetError, RenderingError, UnknownNameError, UsageError
from ambidex.output_folder import exclusive_lock


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"policy": ""}, "--policy"),
        ({"policy": "scirpted"}, "Did you mean 'scripted'"),
        ({"task": None}, "Expected one of --task, --suite and --bddl-file"),
        ({"suite": "aloha"}, "Expected one of --task, --suite and --bddl-file"),
        ({"task": "insertoin"}, "Did you mean 'insertion'"),
        ({"task": None, "suite": "alhoa"}, "Did you mean 'aloha'"),
        ({"episodes": 0}, "--episodes 0"),
        ({"seed": 99_999}, "--seed 99999 is a training seed"),
        ({"seed": -1}, "--seed -1"),
        ({"workers": -1}, "--workers -1"),
        ({"execution": "ensembel"}, "Did you mean 'ensemble'"),
        ({"video": "some"}, "choice for --video"),
        ({"spread": "wider"}, "Did you mean 'wide'"),
        ({"execution": "first"}, "--execution: only for trained policies"),
        ({"execute_steps": 3}, "--execute-steps: only for trained policies"),
        ({"control": "ee"}, "--control: only for trained policies"),
        ({"code": 3}, "--code: only for trained policies"),
        ({"device": "cpu"}, "--device: only for trained policies"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, changes, says):
    with pytest.raises(UsageError, match=says):
        run_into(tmp_path / "new", **changes)
    assert not (tmp_path / "new").exists()


def test_a_checkpoint_for_a_baseline_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--checkpoint: only for trained policies"):
        run_into(tmp_path / "new", checkpoint=tmp_path)


def test_without_a_checkpoint_the_command_that_makes_one_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="train-policy --policy act"):
        run_into(tmp_path / "new", policy="act")


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no config\.json"):
        run_into(tmp_path / "new", policy="act", checkpoint=tmp_path)


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"thesis\.tex.*--output-dir"):
        run_into(tmp_path)
    with pytest.raises(UsageError, match=r"nothing to resume.*thesis\.tex"):
        run_into(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    directory = tmp_path_factory.mktemp("results") / "hold"
    run_into(directory)
    return directory


def test_results_are_not_overwritten(results):
    with pytest.raises(UsageError, match="--resume"):
        run_into(results)


def test_resume_with_other_flags_lists_every_difference(results):
    with pytest.raises(UsageError) as error:
        run_into(results, resume=True, seed=100_001, spread="wide", policy="random", episodes=2)
    message = str(error.value)
    for words in ("--seed was 100000, now 100001", "--spread was published, now wide", "--policy was hold, now random"):
        assert words in message
    assert "--episodes was 5, now 2: it may only grow" in message


def test_resume_under_another_engine_is_refused(tmp_path, monkeypatch):
    run_into(tmp_path, episodes=2)
    monkeypatch.setattr("ambidex.benchmarks.evaluation.benchmark.versions", lambda: {"mujoco": "5.0.0"})
    with pytest.raises(UsageError, match=r"mujoco was 4.*, now 5\.0\.0"):
        run_into(tmp_path, resume=True)


def test_a_row_that_stands_twice_is_noticed(tmp_path):
    run_into(tmp_path, episodes=2)
    lines = (tmp_path / "results.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "results.jsonl").write_text("".join([*lines, lines[0]]))
    with pytest.raises(DatasetError, match="seed 100000 of insertion has more than one row"):
        run_into(tmp_path, resume=True)


def test_two_runs_cannot_write_into_one_folder(tmp_path):
    with exclusive_lock(tmp_path), pytest.raises(DatasetError, match="Another process"):
        run_into(tmp_path)


def test_videos_without_opengl_are_refused_at_once(tmp_path, monkeypatch):
    def missing():
        raise RenderingError("no OpenGL")

    assert choose_backend()
    monkeypatch.setattr("ambidex.benchmarks.evaluation.plan.choose_backend", missing)
    with pytest.raises(RenderingError):
        run_into(tmp_path / "new", video="failures")
    run_into(tmp_path / "new", episodes=1)


def test_an_unknown_choice_of_videos_names_what_exists(results):
    with pytest.raises(UnknownNameError, match="failures"):
        run_into(results, resume=True, video="failed")


def test_the_folder_is_named_after_what_is_run(tmp_path, monkeypatch):
    def folder(**changes):
        return str(make_plan(HOLD.__class__(**{"policy": "hold", "task": "insertion", **changes})).directory)

    assert folder() == "results/hold-insertion"
    assert folder(task=None, suite="aloha", spread="wide") == "results/hold-aloha-wide"
