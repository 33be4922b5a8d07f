import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lerobot_dataset import write_lerobot
from synthetic_dataset import read_table, write_dataset

from ambidex.errors import DatasetError, UsageError
from ambidex.policies.data import frame_sources
from ambidex.policies.data.frame_sources import ResidentFrames, StreamingFrames, choose_storage
from ambidex.policies.data.frames import FrameReader, load_frames
from ambidex.policies.data.split import Sampler
from ambidex.policies.messages import PolicyInputs
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.worker_pool.ending import STOP_SIGNALS

CPU = torch.device("cpu")
SUPPORT = Path(__file__).resolve().parents[2] / "support"


def test_resident_and_streamed_frames_are_those_of_the_files(images):
    table = read_table([images])
    cameras = ("left_wrist", "top")
    reader = FrameReader(table, cameras)
    resident = ResidentFrames(reader, len(table), (24, 32), device=CPU, storage=CPU, workers=0)
    streamed = StreamingFrames(reader, CPU, 0)
    orders = list(Sampler(table.rows(range(4)), 4, seed=0).steps(0, 5))
    for rows, a, b in zip(orders, resident.batches(orders), streamed.batches(orders), strict=True):
        assert tuple(a) == tuple(b) == cameras
        for camera in cameras:
            assert a[camera].dtype == torch.uint8
            assert a[camera].shape == (4, 3, 24, 32)
            assert a[camera].is_contiguous(memory_format=torch.channels_last)
            assert torch.equal(a[camera], b[camera])
            assert torch.equal(a[camera], streamed.images(rows)[camera])
            episode = int(table.episode_of_row[rows[0]])
            frame = Dataset(images)[episode].frame(camera, int(rows[0] - table.starts[episode]))
            assert np.array_equal(a[camera][0].permute(1, 2, 0).numpy(), frame)


def test_windows_of_frames_are_the_frames_of_their_rows(images):
    table = read_table([images])
    reader = FrameReader(table, ("top",))
    resident = ResidentFrames(reader, len(table), (24, 32), device=CPU, storage=CPU, workers=0)
    windows = np.array([[0, 0, 2], [9, 8, 8], [26, 0, 13]])
    (streamed,) = StreamingFrames(reader, CPU, 0).batches([windows])
    for images in (resident.images(windows)["top"], streamed["top"]):
        assert images.shape == (3, 3, 3, 24, 32) and images.movedim(-3, -1).is_contiguous()
        assert torch.equal(images.flatten(0, 1), resident.images(windows.ravel())["top"])


@pytest.mark.parametrize("dtype", ["video", "image"])
def test_windows_of_a_lerobot_dataset_have_the_frames_of_its_episodes(tmp_path, dtype):
    write_lerobot(tmp_path / "data", dtype=dtype, cameras=("observation.images.top",))
    table, dataset = read_table([tmp_path / "data"]), Dataset(tmp_path / "data")
    inputs = PolicyInputs(cameras=("top",), objects=False, instruction=False, history=3, stride=2)
    windows, _ = table.windows(np.array([8, 2, 14, 6]), inputs)
    images = StreamingFrames(FrameReader(table, ("top",)), CPU, 0).images(windows)["top"]
    for row, window in enumerate(windows):
        for place, at in enumerate(window.tolist()):
            episode = int(table.episode_of_row[at])
            with dataset[episode] as stored:
                frame = stored.frame("top", at - int(table.starts[episode]))
            assert np.array_equal(images[row, place].permute(1, 2, 0).numpy(), frame)


def test_each_frame_of_a_batch_is_decoded_once_in_the_order_of_the_video(images):
    class Recording(FrameReader):
        def _file(self, episode):
            return SimpleNamespace(frame=lambda camera, t: read.append((episode, t)) or np.zeros((2, 2, 3), np.uint8))

    read, table = [], read_table([images])
    second = int(table.starts[1])
    Recording(table, ("top",)).read(np.array([[second, second, second + 2], [1, 2, 3], [2, 3, 4]]))
    assert read == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 2)]


def test_workers_decode_the_same_resident_frames(images, monkeypatch):
    monkeypatch.setattr(frame_sources, "SMALL", 0)
    table, done = read_table([images]), []
    reader = FrameReader(table, ("top",))
    many = ResidentFrames(reader, len(table), (24, 32), device=CPU, storage=CPU, workers=1, progress=done.append)
    monkeypatch.undo()
    alone = ResidentFrames(reader, len(table), (24, 32), device=CPU, storage=CPU, workers=0)
    rows = np.arange(len(table))
    assert torch.equal(many.images(rows)["top"], alone.images(rows)["top"])
    assert done == [16, 27]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_frame_is_named_in_whichever_process_it_is_decoded(tmp_path, workers):
    write_dataset(tmp_path / "data", lengths=(6,), cameras=("top",))
    table = read_table([tmp_path / "data"])
    path = table.entries[0].path
    with Dataset(tmp_path / "data")[0] as file:
        offset = file._frames.datasets["top"].id.get_chunk_info(3).byte_offset
    content = bytearray(path.read_bytes())
    content[offset + 20 : offset + 40] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"episode_0\.hdf5.*top, frame 3"):
        list(load_frames(FrameReader(table, ("top",)), [np.array([1]), np.array([3])], workers))


def test_workers_stream_the_same_windows_and_signals_to_all_processes_do_not_end_them(images):
    reader = FrameReader(read_table([images]), ("left_wrist", "top"))
    streamed, alone = (StreamingFrames(reader, CPU, workers) for workers in (1, 0))
    orders = [np.array([[0, 0, row], [9, 8, 8]]) for row in range(20)]
    batches, before = streamed.batches(orders), set(multiprocessing.active_children())
    found = [next(batches)]
    (worker,) = set(multiprocessing.active_children()) - before
    for number in STOP_SIGNALS:
        os.kill(worker.pid, number)
    for a, b in zip([*found, *batches], map(alone.images, orders), strict=True):
        assert tuple(a) == tuple(b) == reader.cameras
        assert all(torch.equal(a[camera], b[camera]) for camera in a)
        assert all(a[camera].movedim(-3, -1).is_contiguous() for camera in a)
    assert not worker.is_alive()


KILLED = """
import multiprocessing, os, signal, sys, threading
from pathlib import Path
sys.path.insert(0, {folder!r})
import numpy as np
from synthetic_dataset import read_table
from ambidex.policies.data.frames import FrameReader, load_frames

def kill_this_process():
    while not multiprocessing.active_children():
        pass
    print(multiprocessing.active_children()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    reader = FrameReader(read_table([Path(sys.argv[1])]), ("top",))
    threading.Thread(target=kill_this_process).start()
    list(load_frames(reader, [np.array([0])] * 10_000, 1))
"""


def test_workers_end_if_their_parent_is_killed_while_they_start(images, tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(folder=str(SUPPORT)))
    run = subprocess.run([sys.executable, script, images], stdout=subprocess.PIPE, text=True)
    worker, deadline = Path("/proc", run.stdout.strip()), time.monotonic() + 60
    while worker.exists() and worker.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_frames_are_stored_where_they_fit(monkeypatch):
    monkeypatch.setattr(frame_sources, "spare_memory", lambda device: 1000)
    assert choose_storage(1000, CPU, "auto")[0] == CPU
    assert choose_storage(1001, CPU, "auto")[0] is None
    assert choose_storage(1000, CPU, "auto", processes=2)[0] is None
    assert choose_storage(1, CPU, "streaming")[0] is None
    with pytest.raises(UsageError) as caught:
        choose_storage(1001, CPU, "resident")
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == (1001, 1000)


def test_spare_memory_is_limited_by_machine_and_container(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_sources, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(frame_sources, "CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:   1000 kB\n")
    assert frame_sources.spare_memory(CPU) == int(0.6 * 1024_000)
    (tmp_path / "memory.max").write_text("500000\n")
    (tmp_path / "memory.current").write_text("100000\n")
    assert frame_sources.spare_memory(CPU) == int(0.6 * 400_000)
    (tmp_path / "memory.stat").write_text("anon 40000\ninactive_file 60000\nactive_file 1\n")
    assert frame_sources.spare_memory(CPU) == int(0.6 * 460_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert frame_sources.spare_memory(CPU) == int(0.6 * 1024_000)
