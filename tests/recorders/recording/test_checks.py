"""Recording refuses wrong flags and folders before it makes anything, and ends when nothing works."""

from pathlib import Path

import pytest
from recording_fakes import STATES, RaisingAgent, record_to

from ambidex.envs.env import make, make_from_spec
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.errors import DatasetError, RenderingError, UnknownNameError, UsageError
from ambidex.output_folder import exclusive_lock
from ambidex.recorders.dataset.attempts import read_attempts


def test_the_run_ends_if_the_first_attempts_all_raise_errors(tmp_path):
    with pytest.raises(DatasetError) as error:
        record_to(tmp_path, STATES, RaisingAgent, workers=2)
    assert error.value.facts["reason"] == "RuntimeError: no plan for 4"
    assert [row.outcome for row in read_attempts(tmp_path)] == ["error"] * 5


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    for resume in (False, True):
        with pytest.raises(UsageError, match=r"thesis\.tex.*--output-dir"):
            record_to(tmp_path, resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_two_runs_cannot_write_into_one_folder(tmp_path):
    with exclusive_lock(tmp_path), pytest.raises(DatasetError, match="Another process"):
        record_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_task_of_a_suite_is_recorded_if_a_folder_is_not_empty(tmp_path):
    (tmp_path / "insertion").mkdir()
    (tmp_path / "insertion" / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        record_to(tmp_path, STATES, task="aloha", workers=0)
    assert [path.name for path in tmp_path.iterdir()] == ["insertion"]


def test_one_environment_is_made_for_a_task_besides_those_of_the_workers(tmp_path, monkeypatch):
    made = []
    for module, function in (("checks", make), ("worker", make_from_spec)):
        monkeypatch.setattr(
            f"ambidex.recorders.recording.{module}.{function.__name__}",
            lambda *given, _module=module, _make=function, **more: made.append(_module) or _make(*given, **more),
        )
    record_to(tmp_path, STATES, num_episodes=1, workers=0)
    assert made == ["checks", "worker"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": ""}, "--list"),
        ({"task": "insertoin"}, "Did you mean 'insertion'"),
        ({"cameras": ("tob",)}, "Did you mean 'top'"),
        ({"control": "joints"}, "Did you mean 'joint'"),
        ({"storage": "lossles"}, "Did you mean 'lossless'"),
        ({"video": "al"}, "Did you mean 'all'"),
        ({"format": "acd"}, "Did you mean 'act'"),
        ({"spread": "wider"}, "Did you mean 'wide'"),
        ({"render_quality": "studios"}, "Did you mean 'studio'"),
        ({"num_episodes": 0}, "--num-episodes 0"),
        ({"num_episodes": -3}, "--num-episodes -3"),
        ({"image_size": (-1, 32)}, "-1 x 32"),
        ({"noise": -0.1}, "--noise -0.1"),
        ({"noise": float("nan")}, "--noise nan"),
        ({"workers": -1}, "--workers -1"),
        ({"max_attempts": 3}, "fewer than --num-episodes 4"),
        ({"seed": -1}, "-1"),
        ({"seed": 99_990}, "99999"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_made(tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        record_to(tmp_path / "data", **changes)
    assert not (tmp_path / "data").exists()


def test_a_task_without_an_expert_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.recorders.recording.checks.EXPERTS", {})
    with pytest.raises(UnknownNameError) as error:
        record_to(tmp_path, agent=None)
    assert error.value.facts["kind"] == "expert"


def test_the_last_training_seed_can_be_recorded(tmp_path):
    (summary,) = record_to(tmp_path, STATES, num_episodes=1, seed=99_999, max_attempts=1, workers=0)
    assert summary.complete


def test_without_opengl_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr("ambidex.envs.simulation.opengl.LIBRARIES", {"egl": "libNoEGL.so", "osmesa": "libNoMesa.so"})
    with pytest.raises(RenderingError, match=r"egl \(libNoEGL.*apt-get install"):
        record_to(tmp_path / "data")
    assert not (tmp_path / "data").exists()
    (summary,) = record_to(tmp_path / "data", STATES, num_episodes=1, workers=0)
    assert summary.complete


def test_opengl_without_a_context_is_reported_before_any_rollout(tmp_path, monkeypatch):
    if choose_backend() != "egl":
        pytest.skip("needs EGL")
    monkeypatch.setenv("EGL_PLATFORM", "wayland")
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", "99")
    with pytest.raises(Exception, match="Rendering needs OpenGL"):
        record_to(tmp_path / "data", workers=1)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_reported_before_any_rollout(tmp_path):
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file" / "data", Path("/proc/ambidex")):
        with pytest.raises(DatasetError, match="could not be written"):
            record_to(directory, agent=RaisingAgent)
