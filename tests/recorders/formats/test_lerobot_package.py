"""LeRobot's own package reads what is written: every state, action and frame.

The package is installed into an environment of its own (about 6 GB with its torch), or AMBIDEX_LEROBOT_PYTHON names the
Python of one that has it. Version 0.4.4 is the last that can be installed under Python 3.11.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from recording_fakes import SMALL, record_to

from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.rendering.config import ConvertConfig
from ambidex.recorders.rendering.render import convert

pytestmark = pytest.mark.slow

PACKAGE = "lerobot==0.4.4"
READER = """
import sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

folder, output = sys.argv[1:]
dataset = LeRobotDataset("local/none", root=folder, video_backend="pyav", delta_timestamps={"action": [0.0, 0.02]})
names = ["observation.state", "action", "observation.images.top", "timestamp", "frame_index", "episode_index", "index",
         "next.success", "action_is_pad"]
items = [dataset[i] for i in range(len(dataset))]
arrays = {name: np.stack([np.asarray(item[name]) for item in items]) for name in names}
statistics = {"mean": dataset.meta.stats["action"]["mean"], "top": dataset.meta.stats["observation.images.top"]["std"]}
tasks = [item["task"] for item in items]
np.savez(output, fps=dataset.fps, episodes=dataset.num_episodes, tasks=tasks, **arrays, **statistics)
"""


@pytest.fixture(scope="module")
def lerobot_python(tmp_path_factory):
    given = os.environ.get("AMBIDEX_LEROBOT_PYTHON")
    if given:
        return given
    folder = tmp_path_factory.mktemp("lerobot_env")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    installed = subprocess.run([folder / "bin/pip", "install", "-q", "--no-cache-dir", PACKAGE], capture_output=True)
    if installed.returncode:
        pytest.skip(f"{PACKAGE} cannot be installed here: {installed.stderr.decode()[-300:]}")
    return folder / "bin/python"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("recorded") / "data"
    record_to(directory, SMALL, num_episodes=3, image_size=(120, 160), workers=0)
    return directory


@pytest.mark.parametrize("storage", ["h264", "av1"])
def test_every_state_action_and_frame_is_ours(recorded, tmp_path, lerobot_python, storage):
    folder, output = tmp_path / "data", tmp_path / "read.npz"
    convert(ConvertConfig(path=recorded, format="lerobot", storage=storage, output_dir=folder, workers=0, quiet=True))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": "", "HF_HOME": str(tmp_path / "home")}
    command = [lerobot_python, "-c", READER, folder, output]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path, timeout=600)
    found = np.load(output)
    ours, lossless = ([dataset[i] for i in range(3)] for dataset in (read(folder), read(recorded)))
    episodes = [stored.episode for stored in ours]
    steps = [episode.steps for episode in episodes]
    assert np.array_equal(found["observation.state"], np.concatenate([episode.qpos for episode in episodes]))
    actions = np.concatenate([episode.joint_actions for episode in episodes])
    assert np.array_equal(found["action"][:, 0], actions) and found["action_is_pad"].sum() == len(steps)
    assert (found["fps"], found["episodes"]) == (50, 3) and set(found["tasks"]) == {ours[0].spec.instruction}
    assert np.array_equal(found["index"], np.arange(sum(steps)))
    assert np.array_equal(found["episode_index"], np.repeat([0, 1, 2], steps))
    assert np.array_equal(np.flatnonzero(found["next.success"]), np.cumsum(steps) - 1)
    assert np.allclose(found["mean"], actions.mean(axis=0), atol=1e-6) and found["top"].shape == (3, 1, 1)
    theirs = found["observation.images.top"].transpose(0, 2, 3, 1) * 255
    decoded, rendered = (
        np.concatenate([np.stack([*stored.frames("top")]) for stored in part]).astype(float)
        for part in (ours, lossless)
    )
    # The same frames: PyAV and torchvision round the conversion to RGB differently, by 0.2 of 255 on average.
    assert np.abs(theirs - decoded).mean(axis=(1, 2, 3)).max() < 0.5 and np.abs(theirs - decoded).max() < 32
    assert np.abs(theirs - rendered).mean() < 4
