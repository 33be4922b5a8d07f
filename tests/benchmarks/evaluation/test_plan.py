"""Flags that are refused before anything is written, and the defaults that follow from the others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarking_fakes import HOLD, run_into
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.evaluation.task_settings import init_states_file
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.envs.env import make
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.errors import DatasetError, RenderingError, UnknownNameError, UsageError
from ambidex.output_folder import exclusive_lock

SPEC = make("insertion", cameras=("top",), image_size=(24, 32)).spec
LIBERO = replace(HOLD, task="libero_goal/1", episodes=None)
BOWL_ON_STOVE = "libero_goal/put_the_bowl_on_the_stove"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"policy": ""}, "--policy"),
        ({"policy": "scirpted"}, "Did you mean 'scripted'"),
        ({"task": None}, "--task, --suite and --bddl-file"),
        ({"suite": "aloha"}, "--task, --suite and --bddl-file"),
        ({"task": "insertoin"}, "Did you mean 'insertion'"),
        ({"task": None, "suite": "alhoa"}, "Did you mean 'aloha'"),
        ({"task": None, "suite": "libero_goal/1"}, "--task libero_goal/1"),
        ({"task": None, "suite": "insertion"}, "--task insertion"),
        ({"episodes": 0}, "--episodes 0"),
        ({"seed": 99_999}, "--seed 99999"),
        ({"seed": -1}, "--seed -1"),
        ({"training_seeds": True}, "training seeds end at 99999"),
        ({"training_seeds": True, "seed": 99_990, "episodes": 11}, "training seeds end at 99999"),
        ({"perturb": ("",)}, "Name one or more of camera, wrist_camera"),
        ({"workers": -1}, "--workers -1"),
        ({"execution": "ensembel"}, "Did you mean 'ensemble'"),
        ({"video": "some"}, "choice for --video"),
        ({"spread": "wider"}, "Did you mean 'wide'"),
        ({"execution": "first"}, "--execution: only for policies that predict chunks"),
        ({"execute_steps": 3}, "--execute-steps: only"),
        ({"control": "eef"}, "Did you mean 'ee'"),
        ({"code": 3}, "--code: only"),
        ({"device": "cpu"}, "--device: only"),
        ({"checkpoint": Path("run")}, "--checkpoint: only"),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_written(tmp_path, changes, match):
    with pytest.raises(UsageError, match=match):
        run_into(tmp_path / "new", agent=None, **changes)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"protocol": "opnvla"}, "Did you mean 'openvla'"),
        ({"task": "insertion", "protocol": "openvla"}, "--horizon"),
        ({"bddl_file": Path("x.bddl")}, "--bddl-file x.bddl"),
        ({"task": None, "bddl_file": Path("x.txt")}, r"\.bddl"),
        ({"episodes": 0}, "--episodes 0"),
        ({"task": None, "suite": "libero_goal", "init_states": Path(__file__)}, "one file, and there are 10 tasks"),
        ({"init_states": Path(__file__).parent}, f"no initial states of {BOWL_ON_STOVE}"),
    ],
)
def test_wrong_flags_of_libero_tasks_are_refused(changes, match):
    with pytest.raises(UsageError, match=match):
        make_plan(replace(LIBERO, **changes))


def test_more_episodes_than_initial_states_are_refused(monkeypatch, tmp_path):
    (tmp_path / "put_the_bowl_on_the_stove.pruned_init").touch()
    monkeypatch.setattr("ambidex.benchmarks.evaluation.task_settings.read_init_states", lambda path: np.zeros((20, 79)))
    with pytest.raises(UsageError) as raised:
        make_plan(replace(LIBERO, init_states=tmp_path))
    assert (raised.value.facts["got"], raised.value.facts["expected"]) == (50, 20)
    assert make_plan(replace(LIBERO, init_states=tmp_path, protocol="libero")).protocol == "libero"
    plan = make_plan(replace(LIBERO, init_states=tmp_path, episodes=20))
    file = tmp_path / "put_the_bowl_on_the_stove.pruned_init"
    assert init_states_file(plan.task_settings.init_states, BOWL_ON_STOVE) == file


def test_without_a_checkpoint_the_error_names_the_command_that_makes_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="train-policy --policy act"):
        run_into(tmp_path / "new", agent=None, policy="act")


def test_a_folder_that_is_not_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no config\.json"):
        run_into(tmp_path / "new", agent=None, policy="act", checkpoint=tmp_path)


def test_a_folder_with_other_content_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"thesis\.tex.*--output-dir"):
        run_into(tmp_path)
    with pytest.raises(UsageError, match=r"nothing to resume.*thesis\.tex"):
        run_into(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_results_are_not_overwritten(tmp_path):
    run_into(tmp_path, episodes=1)
    with pytest.raises(UsageError, match="--resume"):
        run_into(tmp_path, episodes=1)


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


def test_an_unknown_choice_of_videos_is_refused_on_resume(tmp_path):
    run_into(tmp_path, episodes=1)
    with pytest.raises(UnknownNameError, match="failures"):
        run_into(tmp_path, resume=True, video="failed")


@pytest.mark.parametrize("video", ["none", "all"])
def test_resuming_makes_the_videos_that_were_asked_for_unless_it_asks_for_others(tmp_path, video):
    run_into(tmp_path, policy="hold", episodes=1, video="none")
    stored = replace(ResultsFolder(tmp_path).info, config={**ResultsFolder(tmp_path).info.config, "video": video})
    stored.write(tmp_path)
    resumed = BenchmarkConfig(output_dir=tmp_path, resume=True)
    assert make_plan(resumed).config.video == video
    assert f"--video {video}" in make_plan(resumed).resume_command
    assert make_plan(replace(resumed, video="failures")).config.video == "failures"


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "hold-insertion"), ({"task": None, "suite": "aloha", "spread": "wide"}, "hold-aloha-wide")],
)
def test_the_default_folder_is_named_after_the_flags(changes, name):
    assert make_plan(replace(HOLD, **changes)).directory == Path("results") / name


@pytest.fixture
def first_line(tmp_path, monkeypatch, capfd):
    """Runs an episode of a policy in a folder with runs/; returns the first line on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(**changes):
        folder = tmp_path / "results" / str(len(list(tmp_path.glob("results/*"))))
        config = replace(HOLD, policy="act", episodes=1, device="cpu", quiet=False, output_dir=folder)
        benchmark(replace(config, **changes), load=lambda path: ToyPolicy(SPEC))
        return next(iter(capfd.readouterr().err.splitlines()), "")

    return run


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "runs" / "mine"
    write_checkpoint(folder / "checkpoints" / "200")
    (folder / "checkpoints" / "last").symlink_to("200")
    return folder


def test_the_checkpoint_is_printed_with_how_it_was_found(first_line, run_folder):
    run, checkpoint = run_folder, run_folder / "checkpoints" / "200"
    found = f"run-benchmark: The checkpoint is {checkpoint}"
    assert first_line() == f"{found}, the last one of the newest run of act under runs/ that was trained on insertion."
    assert first_line(checkpoint=run) == f"{found}, the last one of {run}."
    assert first_line(checkpoint=run / "checkpoints" / "last") == f"{found}, the last one of {run}."
    assert first_line(checkpoint=checkpoint) == f"{found}."


def test_resuming_takes_the_checkpoint_of_the_results_and_not_of_a_newer_run(first_line, run_folder, tmp_path):
    first_line()
    write_checkpoint(tmp_path / "runs" / "newer" / "checkpoints" / "300")
    (tmp_path / "runs" / "newer" / "checkpoints" / "last").symlink_to("300")
    folder = tmp_path / "results" / "0"
    resumed = first_line(output_dir=folder, resume=True, episodes=2)
    assert resumed == f"run-benchmark: The checkpoint is {run_folder / 'checkpoints' / '200'}."


def test_the_checkpoint_is_printed_even_if_no_episode_is_left_but_not_with_quiet(first_line, run_folder, tmp_path):
    assert first_line(output_dir=tmp_path / "out", quiet=True) == ""
    assert str(run_folder / "checkpoints" / "200") in first_line(output_dir=tmp_path / "out", resume=True)
