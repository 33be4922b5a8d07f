from pathlib import Path

import pytest
from recording_fakes import STATES, BrokenAgent, record_to

from ambidex.envs.simulation.opengl import choose_backend
from ambidex.errors import DatasetError, RenderingError, UnknownNameError, UsageError
from ambidex.output_folder import exclusive_lock
from ambidex.recorders.dataset.dataset import read_attempts


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    directory = tmp_path_factory.mktemp("dataset") / "data"
    record_to(directory, STATES, workers=0)
    return directory


def test_attempts_that_all_break_end_the_run(tmp_path):
    with pytest.raises(DatasetError, match="no plan for 4"):
        record_to(tmp_path, STATES, BrokenAgent, workers=2)
    assert [row.outcome for row in read_attempts(tmp_path)] == ["error"] * 5


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"thesis\.tex.*--output-dir"):
        record_to(tmp_path)
    with pytest.raises(UsageError, match=r"nothing to resume.*thesis\.tex"):
        record_to(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_dataset_is_not_overwritten(dataset):
    with pytest.raises(UsageError, match="--resume"):
        record_to(dataset, STATES)


def test_resume_with_other_flags_lists_every_difference(dataset):
    with pytest.raises(UsageError) as error:
        record_to(dataset, STATES, resume=True, seed=3, storage="jpeg", num_episodes=2)
    message = str(error.value)
    assert "--seed was 0, now 3" in message and "--storage was lossless, now jpeg" in message
    assert "--num-episodes was 4, now 2" in message


def test_changed_rows_are_noticed(tmp_path):
    record_to(tmp_path, STATES, workers=0)
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "attempts.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(DatasetError, match=r"attempts\.jsonl, row 1: seed 1.*expected seed 0"):
        record_to(tmp_path, STATES, resume=True)


def test_two_runs_cannot_write_into_one_folder(tmp_path):
    with exclusive_lock(tmp_path), pytest.raises(DatasetError, match="Another process"):
        record_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


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
        ({"seed": -1}, "negative"),
        ({"seed": 99_990}, "99999"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_made(tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        record_to(tmp_path / "data", **changes)
    assert not (tmp_path / "data").exists()


def test_a_task_without_an_expert_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.recorders.recording.record.EXPERTS", {})
    with pytest.raises(UnknownNameError, match="expert"):
        record_to(tmp_path, agent=None)


@pytest.mark.parametrize("changes", [{}, {"format": "act"}, {"task": "libero_goal"}])
def test_a_control_mode_the_expert_lacks_is_refused_with_the_way_to_joint_commands(tmp_path, changes):
    wrong = {"task": "libero_goal/1", "control": "joint", "cameras": (), **changes}
    with pytest.raises(UsageError, match=r"--control joint: .*acts under ee.*Leave --control out.*--format act"):
        record_to(tmp_path / "data", agent=None, **wrong)
    assert not (tmp_path / "data").exists()


def test_the_last_training_seed_can_be_recorded(tmp_path):
    (summary,) = record_to(tmp_path, STATES, num_episodes=1, seed=99_999, max_attempts=1, workers=0)
    assert summary.complete


def test_without_opengl_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.envs.simulation.opengl.LIBRARIES", {"egl": "libNoEGL.so", "osmesa": "libNoMesa.so"})
    with pytest.raises(RenderingError, match=r"egl \(libNoEGL.*apt-get install"):
        record_to(tmp_path / "data")
    assert not (tmp_path / "data").exists()
    (summary,) = record_to(tmp_path / "data", STATES, num_episodes=1, workers=0)
    assert summary.complete


def test_opengl_that_gives_no_context_is_said_before_any_rollout(tmp_path, monkeypatch):
    if choose_backend() != "egl":
        pytest.skip("needs EGL")
    monkeypatch.setenv("EGL_PLATFORM", "wayland")
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", "99")
    with pytest.raises(Exception, match="Rendering needs OpenGL"):
        record_to(tmp_path / "data", workers=1)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_said_before_any_rollout(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="could not be written"):
        record_to(tmp_path / "file" / "data", agent=BrokenAgent)
    with pytest.raises(DatasetError, match="could not be written"):
        record_to(Path("/proc/ambidex"), agent=BrokenAgent)
