"""Datasets become tables, tables become batches, and both data paths give the same."""

import dataclasses

import numpy as np
import pytest
import torch
from synthetic_dataset import STATES, write_dataset
from synthetic_episode import make_spec

from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.policies.data import storage as frame_home
from ambidex.policies.data import storage as memory
from ambidex.policies.data.batches import Augmentation, SampleGatherer, jittered, shifted
from ambidex.policies.data.dataset import read_table
from ambidex.policies.data.frames import FrameReader, loaded
from ambidex.policies.data.split import Sampler, split
from ambidex.policies.data.storage import ResidentFrames, StreamingFrames, choose_home
from ambidex.recorders.dataset.dataset import Dataset

CPU = torch.device("cpu")
LENGTHS = (7, 5, 9, 6)


def test_a_table_holds_the_successful_episodes_row_by_row(tmp_path):
    write_dataset(tmp_path / "data", lengths=LENGTHS, failed=(1,), **STATES)
    table = read_table([tmp_path / "data"])
    assert [(entry.seed, entry.steps) for entry in table.entries] == [(0, 7), (2, 9), (3, 6)]
    assert table.starts.tolist() == [0, 7, 16]
    third = Dataset(tmp_path / "data")[3].episode
    assert np.array_equal(table.actions[16:], third.joint_actions)
    assert np.array_equal(table.qpos[table.rows([2])], third.qpos)
    assert np.array_equal(table.objects[16:], third.objects)


def test_under_ee_control_the_actions_are_those_of_the_end_effectors(tmp_path):
    names = tuple(f"ee_{i}" for i in range(16))
    write_dataset(tmp_path / "data", control="ee", action_names=names, **STATES)
    table = read_table([tmp_path / "data"])
    assert np.array_equal(table.actions[:7], Dataset(tmp_path / "data")[0].episode.ee_actions)


def test_datasets_of_several_tasks_make_one_table_with_what_they_share(tmp_path):
    write_dataset(tmp_path / "a", lengths=(4,), cameras=("top", "left_wrist"))
    write_dataset(tmp_path / "b", lengths=(5,), cameras=("left_wrist",), task="transfer_cube", instruction="hand over")
    table = read_table([tmp_path / "a", tmp_path / "b"])
    assert len(table) == 9
    assert table.spec.cameras == ("left_wrist",)
    assert table.spec.task == "insertion+transfer_cube"
    assert [entry.instruction for entry in table.entries] == ["insert the peg into the socket", "hand over"]
    assert table.objects.shape == (9, 14)


@pytest.mark.parametrize(
    "change", [{"control_hz": 20.0}, {"robot": "panda"}, {"image_size": (12, 16)}, {"family": "libero"}]
)
def test_datasets_that_do_not_fit_together_are_refused_with_the_differences(tmp_path, change):
    write_dataset(tmp_path / "a", lengths=(4,))
    write_dataset(tmp_path / "b", lengths=(4,), **change)
    (name, value), old = next(iter(change.items())), make_spec()
    with pytest.raises(UsageError) as caught:
        read_table([tmp_path / "a", tmp_path / "b"])
    assert f"{tmp_path / 'b'} differs from {tmp_path / 'a'} in {name}: " in str(caught.value)
    assert repr(value) in str(caught.value)
    assert repr(getattr(old, name)) in str(caught.value)


def test_starts_of_benchmarks_are_not_trained_on(tmp_path):
    write_dataset(tmp_path / "last", lengths=(4,), first_seed=99_999, **STATES)
    assert len(read_table([tmp_path / "last"])) == 4
    write_dataset(tmp_path / "one_more", lengths=(4, 4), first_seed=99_999, **STATES)
    with pytest.raises(DatasetError, match=r"episode_1\.hdf5 is of seed 100000, and seeds from 100000 are for bench"):
        read_table([tmp_path / "one_more"])


def test_an_unknown_control_mode_is_not_taken_for_another(tmp_path):
    write_dataset(tmp_path / "data", lengths=(4,), control="torque", **STATES)
    with pytest.raises(UnknownNameError, match="control mode 'torque'"):
        read_table([tmp_path / "data"])


def test_what_is_no_dataset_is_said(tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        read_table([tmp_path / "nowhere"])
    with pytest.raises(DatasetError, match="is not a dataset"):
        read_table([tmp_path])
    write_dataset(tmp_path / "failed", lengths=(4, 4), failed=(0, 1), **STATES)
    with pytest.raises(UsageError, match="that is a file"):
        read_table([tmp_path / "failed" / "dataset.json"])
    with pytest.raises(DatasetError, match="no successful episode: 2 files"):
        read_table([tmp_path / "failed"])
    with pytest.raises(UsageError, match="names a dataset twice"):
        read_table([tmp_path / "failed", tmp_path / "x" / ".." / "failed"])


def test_the_folder_of_a_suite_is_refused_with_the_folders_in_it(tmp_path):
    suite = tmp_path / "suite"
    for name in ("a", "b"):
        write_dataset(suite / name, lengths=(4,), **STATES)
    with pytest.raises(UsageError, match=rf"holds 2\..* --data {suite}/\*, or name some"):
        read_table([suite])
    (suite / "notes.txt").touch()
    with pytest.raises(UsageError, match=f" --data {suite / 'a'} {suite / 'b'}, or name some"):
        read_table([suite])
    assert len(read_table([suite / "a", suite / "b"]).entries) == 2


@pytest.mark.parametrize("episodes", [1, 2, 10, 50])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.9])
def test_a_split_is_a_partition_and_the_seed_decides(episodes, fraction):
    training, held_out = split(episodes, fraction, 0)
    assert sorted((*training, *held_out)) == list(range(episodes))
    assert training
    assert bool(held_out) == (fraction > 0 and episodes > 1)
    assert split(episodes, fraction, 0) == (training, held_out)
    if episodes == 50 and fraction == 0.1:
        assert len(held_out) == 5
        assert split(episodes, fraction, 1) != (training, held_out)


def test_each_epoch_has_every_row_once_in_another_order():
    rows = np.arange(100, 130)
    sampler = Sampler(rows, 7, seed=3)
    stream = np.concatenate([sampler.rows(step) for step in range(30)])  # 210 rows, 7 epochs
    epochs = stream.reshape(7, 30)
    assert all(sorted(epoch) == rows.tolist() for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 7
    assert not np.array_equal(Sampler(rows, 7, seed=4).rows(0), sampler.rows(0))


def test_a_step_can_be_asked_for_alone_even_when_the_batch_exceeds_the_data():
    rows = np.arange(5)
    all_steps = list(Sampler(rows, 12, seed=0).steps(0, 4))
    assert np.array_equal(Sampler(rows, 12, seed=0).rows(3), all_steps[3])


def test_ranks_see_together_what_one_process_sees():
    rows = np.arange(37)
    one = Sampler(rows, 8, seed=1)
    parts = [Sampler(rows, 4, seed=1, rank=rank, ranks=2) for rank in range(2)]
    for step in range(12):
        assert np.array_equal(one.rows(step), np.concatenate([part.rows(step) for part in parts]))


def test_a_chunk_repeats_the_last_action_beyond_the_end(states):
    table = read_table([states])
    batch = SampleGatherer(table, 4, CPU).batch(np.array([0, 4, 6, 7]), {})
    actions = batch.actions.numpy()
    assert np.array_equal(actions[0], table.actions[:4])
    assert np.array_equal(actions[1], table.actions[[4, 5, 6, 6]])
    assert np.array_equal(actions[2], table.actions[[6, 6, 6, 6]])
    assert np.array_equal(actions[3], table.actions[7:11])
    assert batch.is_pad.tolist() == [[False] * 4, [False] * 3 + [True], [False] + [True] * 3, [False] * 4]
    assert np.array_equal(batch.observation.objects.numpy(), table.objects[[0, 4, 6, 7]])
    assert len(batch.observation.instructions) == 4


def test_a_chunk_may_be_longer_than_every_episode(states):
    table = read_table([states])
    batch = SampleGatherer(table, 50, CPU).batch(np.array([13]), {})
    assert batch.actions.shape == (1, 50, 14)
    assert (~batch.is_pad).sum() == 8


@pytest.mark.parametrize("workers", [0, 1])
def test_resident_and_streamed_frames_are_the_frames_of_the_files(pictures, workers):
    table = read_table([pictures])
    cameras = ("left_wrist", "top")
    reader = FrameReader(table, cameras)
    resident = ResidentFrames(reader, len(table), (24, 32), device=CPU, home=CPU, workers=0)
    streamed = StreamingFrames(reader, CPU, workers)
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
            frame = Dataset(pictures)[episode].frame(camera, int(rows[0] - table.starts[episode]))
            assert np.array_equal(a[camera][0].permute(1, 2, 0).numpy(), frame)


def test_workers_fill_the_resident_frames_too(pictures, monkeypatch):
    monkeypatch.setattr("ambidex.policies.data.storage.SMALL", 0)
    table, seen = read_table([pictures]), []
    reader = FrameReader(table, ("top",))
    many = ResidentFrames(reader, len(table), (24, 32), device=CPU, home=CPU, workers=1, progress=seen.append)
    monkeypatch.undo()
    alone = ResidentFrames(reader, len(table), (24, 32), device=CPU, home=CPU, workers=0)
    rows = np.arange(len(table))
    assert torch.equal(many.images(rows)["top"], alone.images(rows)["top"])
    assert seen == [16, 27]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_frame_is_named_wherever_it_is_decoded(tmp_path, workers):
    write_dataset(tmp_path / "data", lengths=(6,), cameras=("top",))
    table = read_table([tmp_path / "data"])
    path = table.entries[0].path
    with Dataset(tmp_path / "data")[0] as file:
        offset = file._frames.datasets["top"].id.get_chunk_info(3).byte_offset
    content = bytearray(path.read_bytes())
    content[offset + 20 : offset + 40] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"episode_0\.hdf5.*top, frame 3"):
        list(loaded(FrameReader(table, ("top",)), [np.array([1]), np.array([3])], workers))


def test_where_frames_live_depends_on_what_is_free(monkeypatch):
    monkeypatch.setattr(frame_home, "spare_memory", lambda device: 1000)
    assert choose_home(1000, CPU, "auto").device == CPU
    assert choose_home(1001, CPU, "auto").device is None
    assert choose_home(1000, CPU, "auto", processes=2).device is None
    assert choose_home(1, CPU, "streaming").device is None
    with pytest.raises(UsageError, match="--data-path resident: the decoded frames take"):
        choose_home(1001, CPU, "resident")


def test_spare_memory_heeds_machine_and_container(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:   1000 kB\n")
    assert memory.spare_memory(CPU) == int(0.6 * 1024_000)
    (tmp_path / "memory.max").write_text("500000\n")
    (tmp_path / "memory.current").write_text("100000\n")
    assert memory.spare_memory(CPU) == int(0.6 * 400_000)
    (tmp_path / "memory.stat").write_text("anon 40000\ninactive_file 60000\nactive_file 1\n")
    assert memory.spare_memory(CPU) == int(0.6 * 460_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.spare_memory(CPU) == int(0.6 * 1024_000)


def test_a_shift_moves_the_picture_and_repeats_its_edge():
    torch.manual_seed(0)
    picture = torch.arange(5 * 6).reshape(1, 5, 6, 1).expand(64, 5, 6, 3).to(torch.uint8)
    moved = shifted(picture, 2)
    found = set()
    for image in moved[..., 0]:
        row, column = divmod(int(image[2, 3]), 6)
        down, right = 2 - row, 3 - column
        rows = (torch.arange(5) - down).clamp(0, 4)
        columns = (torch.arange(6) - right).clamp(0, 5)
        assert torch.equal(image, picture[0, :, :, 0][rows][:, columns])
        found.add((down, right))
    assert max(abs(d) for place in found for d in place) == 2
    assert len(found) > 12


def test_jitter_keeps_grey_grey_and_varies_brightness():
    torch.manual_seed(0)
    grey = torch.full((32, 4, 4, 3), 100, dtype=torch.uint8)
    changed = jittered(grey, 0.3)
    assert changed.dtype == torch.uint8
    assert torch.equal(changed[..., 0], changed[..., 2])
    levels = changed[:, 0, 0, 0].int()
    assert 70 <= levels.min() < 85
    assert 115 < levels.max() <= 130


def test_jitter_is_brightness_then_saturation_then_contrast():
    torch.manual_seed(3)
    pixels = torch.randint(60, 180, (5, 6, 7, 3), dtype=torch.uint8)
    torch.manual_seed(4)
    changed = jittered(pixels, 0.2)
    torch.manual_seed(4)
    factors = 1 + 0.2 * (2 * torch.rand(3, 5, 1, 1) - 1)
    weights = torch.tensor([0.299, 0.587, 0.114])
    for image, result, (brightness, contrast, saturation) in zip(pixels, changed, factors.flatten(1).T, strict=True):
        colours = brightness * image
        grey = (colours @ weights)[..., None]
        colours = grey + saturation * (colours - grey)
        colours = grey.mean() + contrast * (colours - grey.mean())
        assert (result.float() - colours).abs().max() <= 0.51


def test_no_augmentation_is_no_change():
    images = {"top": torch.zeros(1, 3, 4, 4, dtype=torch.uint8)}
    assert Augmentation(random_shift=0, colour_jitter=0.0)(images) is images


def test_a_table_of_other_lengths_knows_the_last_row_of_each_episode(states):
    table = dataclasses.replace(read_table([states]))
    assert table.last_rows.tolist() == [6] * 7 + [11] * 5 + [20] * 9 + [26] * 6
