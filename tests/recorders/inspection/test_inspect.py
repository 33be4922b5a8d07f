"""Inspecting datasets: facts, dimensions, and each problem, of every format; images are not read."""

import json
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from lerobot_dataset import write_lerobot
from PIL import Image
from synthetic_dataset import STATES, write_dataset
from synthetic_episode import JOINTS, make_spec
from synthetic_libero import libero_spec, write_dataset_info, write_libero

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.formats.act import episode_path, write_episode
from ambidex.recorders.formats.registry import read_episode
from ambidex.recorders.inspect_dataset import main
from ambidex.recorders.inspection.dimensions import continuous_quaternions, dimensions, idle_steps, jumps, unit
from ambidex.recorders.inspection.inspect import inspect
from ambidex.recorders.inspection.report import report


def inspected(path):
    ((found, _),) = inspect(path)
    return found


def output_of(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    return end.value.code, capsys.readouterr()


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "data", failed=(2,), **STATES)


def change(folder, index, **changes):
    """Write an episode again with other fields."""
    path = episode_path(folder, index)
    write_episode(path, replace(read_episode(path), **changes), {}, "lossless")


def test_facts_of_a_dataset(dataset):
    found = inspected(dataset)
    assert (found.format, found.task, found.robot, found.control_hz) == ("act", "insertion", "viperx_bimanual", 50.0)
    assert [(each.name, each.seed, str(each.outcome), each.steps) for each in found.episodes] == [
        ("episode_0.hdf5", 0, "success", 7),
        ("episode_1.hdf5", 1, "success", 5),
        ("episode_2.hdf5", 2, "failure", 9),
        ("episode_3.hdf5", 3, "success", 6),
    ]
    assert found.attempts == 4 and found.problems == () and found.storage == "" and found.cameras == ()
    assert found.disk_bytes == sum(path.stat().st_size for path in dataset.iterdir())
    episodes = [read_episode(episode_path(dataset, index)) for index in range(4)]
    for kind, name in (("state", "qpos"), ("action", "joint_actions")):
        values = np.concatenate([getattr(episode, name) for episode in episodes])
        summary = getattr(found, kind)
        assert [each.name for each in summary] == list(JOINTS)
        np.testing.assert_allclose([each.minimum for each in summary], values.min(axis=0))
        np.testing.assert_allclose([each.maximum for each in summary], values.max(axis=0))
        np.testing.assert_allclose([each.mean for each in summary], values.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose([each.std for each in summary], values.std(axis=0), rtol=1e-5)


def test_images_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(StoredEpisode, "frame", lambda *_: pytest.fail("a frame was read"))
    found = inspected(write_dataset(tmp_path / "data"))
    assert found.cameras == ("top", "left_wrist") and found.storage == "lossless" and found.image_size == (24, 32)


def test_libero_and_lerobot(tmp_path, capsys):
    libero = tmp_path / "libero"
    write_libero(libero / "put_the_bowl_on_the_plate_demo.hdf5")
    write_dataset_info(libero, libero_spec(), count=1, format_name="libero")
    found = inspected(libero)
    assert found.format == "libero" and found.episodes[0].name == "put_the_bowl_on_the_plate_demo.hdf5/demo_0"
    assert len(found.state) == 8 and len(found.action) == 7
    assert inspected(libero / found.episodes[0].name).episodes[0].steps == 6
    foreign = write_lerobot(tmp_path / "foreign", dtype="image")
    found = inspected(foreign)
    assert found.format == "lerobot" and found.attempts is None and [each.steps for each in found.episodes] == [6, 4, 5]
    assert found.instructions == ("push the cube", "lift it") and found.foreign
    assert not {"task", "seeds"} & {line.split()[0] for line in report(found).splitlines() if line.strip()}
    assert inspected(foreign / "episode_1").episodes[0].steps == 4
    assert output_of(capsys, tmp_path)[0] == 0


def test_every_problem_is_named_and_the_other_episodes_are_inspected(dataset, capsys, tmp_path):
    same = read_episode(episode_path(dataset, 0))
    change(dataset, 1, qpos=same.qpos, joint_actions=same.joint_actions, **fields_of(same))
    with h5py.File(episode_path(dataset, 2), "r+") as file:
        file["action"][4, 3] = np.nan
    episode_path(dataset, 3).unlink()
    report = tmp_path / "report.json"
    code, output = output_of(capsys, dataset, "--json", report)
    assert code == 1 and "2 (2 success)" in output.out
    for words in ("episode_2.hdf5, field /action, step 4, dimension 3", "episode_3.hdf5", "3 problems"):
        assert words in output.out
    (found,) = json.loads(report.read_text())["datasets"]
    assert found["problems"][-1] == "episode_1.hdf5 has the same states and actions as episode_0.hdf5"
    code, output = output_of(capsys, dataset, "--quiet")
    assert code == 1 and not output.out and output.err.count("\n") == 3


def fields_of(episode):
    """The other fields, which have the length of the episode."""
    names = ("qvel", "objects", "ee_actions", "states", "stages")
    return {name: getattr(episode, name) for name in names}


def test_a_jump_is_named_with_its_step(tmp_path):
    folder = tmp_path / "data"
    write_dataset(folder, lengths=(80, 80), **STATES)
    for index in range(2):
        smooth = np.tile(np.linspace(0, 1, 80, dtype=np.float32)[:, None], (1, 14)) + 0.01 * index
        change(folder, index, qpos=smooth, joint_actions=smooth)
    assert inspected(folder).problems == ()
    smooth[40, [2, 6]] = -1
    smooth[:, 4] = 0.01 * (np.arange(80) == 30)  # a twitch
    smooth[:, 3] = np.arange(80) % 3 == 1  # switches, and 6 is a gripper
    change(folder, 1, qpos=smooth)
    assert inspected(folder).problems == (
        "state left_2 jumps 2 times, first in episode_1.hdf5 from 0.5037 to -1 at step 40",
    )


def test_no_readable_episode_and_no_dataset_are_errors(dataset, tmp_path, capsys):
    for index in range(4):
        episode_path(dataset, index).write_bytes(b"damaged")
    with pytest.raises(DatasetError, match="no episode can be read"):
        inspected(dataset)
    for words in ([tmp_path / "nothing"], [], [dataset, "--plot", "x.jpg"]):
        assert output_of(capsys, *words)[0] in (1, 2)


def test_a_failed_recording_that_is_not_complete_is_noted(dataset):
    info = json.loads((dataset / "dataset.json").read_text())
    (dataset / "dataset.json").write_text(json.dumps(info | {"complete": False}))
    assert "recording is not complete" in inspected(dataset).notes


@pytest.mark.parametrize("size", [1, 3])
def test_the_plot_shows_state_and_action(tmp_path, capsys, size):
    folder = write_dataset(tmp_path / "data", lengths=(30,) * size, **STATES)
    assert output_of(capsys, folder, "--plot", tmp_path / "plot.png", "--quiet")[0] == 0
    image = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB"))
    for colour in ((27, 106, 134), (214, 142, 20)):
        assert (np.abs(image.astype(int) - colour).max(axis=-1) < 30).sum() > 50


def test_dimensions_at_a_limit_are_clipped_unless_they_rest_there():
    spec = make_spec(joint_names=("a", "b", "c", "right_gripper"))
    rows = np.tile(np.linspace(0, 1, 20, dtype=np.float32)[:, None], (1, 4))
    rows[:, 1], rows[:10, 2] = 0.5, 0.0  # constant; waits at its first value
    rows[-4:, 3] = 1.0
    clipped = rows.clip(0.0, 0.8)
    first, constant, resting, gripper = dimensions([clipped], spec, action=False)
    assert first.clipped and first.at_maximum == pytest.approx(0.2) and first.at_minimum == 0
    assert constant.constant and not constant.clipped
    assert resting.clipped and resting.at_minimum == 0 and not gripper.clipped
    (free, *_) = dimensions([rows], spec, action=False)
    assert free.at_maximum == pytest.approx(0.05)


def test_an_opening_far_from_0_to_1_is_noted(dataset):
    episode = read_episode(episode_path(dataset, 0))
    gripper = episode.spec.joint_names.index("left_gripper")
    qpos = episode.qpos.clip(0, 1)
    qpos[2, gripper] = 2.5
    change(dataset, 0, qpos=qpos)
    assert any("left_gripper" in note and "2.5" in note and "state" in note for note in inspected(dataset).notes)
    for index in range(4):
        change(dataset, index, qpos=read_episode(episode_path(dataset, index)).qpos.clip(-0.2, 1.2))
    assert not any("state has openings" in note for note in inspected(dataset).notes)


def test_increments_may_begin_at_their_limit():
    spec = libero_spec(action_names=("robot0_dx",))
    (found,) = dimensions([np.float32([[1], [1], [0.5], [-1]])], spec, action=True)
    assert found.at_maximum == 0.5 and found.unit == "0.05 m"


@pytest.mark.parametrize(
    ("name", "family", "control", "action", "expected"),
    [
        ("left_waist", "aloha", "joint", True, "rad"),
        ("left_gripper", "aloha", "ee", True, "opening"),
        ("left_x", "aloha", "ee", True, "m"),
        ("left_qw", "aloha", "ee", True, ""),
        ("robot0_drx", "libero", "ee", True, "0.5 rad"),
        ("robot0_gripper", "libero", "ee", True, "closing"),
        ("robot0_gripper", "libero", "ee", False, "opening"),
        ("motor_1", "", "joint", True, ""),
    ],
)
def test_units(name, family, control, action, expected):
    assert unit(name, make_spec(family=family, control=control), action=action) == expected


def test_idle_steps_are_those_in_which_nothing_moves():
    one = np.float32([[0, 0], [0, 0], [1, 0], [1, 0.0005], [1, 1]])
    assert idle_steps([one, one[:1]]) == [2, 0]
    assert jumps([one[:1]]) == []


def test_a_quaternion_that_changes_sign_does_not_jump():
    angle = np.linspace(0, 1, 10)
    quaternions = np.stack([np.cos(angle), np.sin(angle), 0 * angle, 0 * angle], axis=1).astype(np.float32)
    flipped = quaternions.copy()
    flipped[3:7] *= -1
    names = ("left_qw", "left_qx", "left_qy", "left_qz")
    (values,), flips = continuous_quaternions([flipped], names)
    np.testing.assert_array_equal(values, quaternions)
    assert flips == {"left_qw": 2} and (flipped[4] == -quaternions[4]).all()
    assert continuous_quaternions([quaternions], names)[1] == {}


def test_torch_is_not_imported(dataset):
    code = (
        "import sys\nfrom ambidex.recorders.inspection.inspect import inspect\nfrom pathlib import Path\n"
        "list(inspect(Path(sys.argv[1])))\nassert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code, dataset]).returncode == 0
