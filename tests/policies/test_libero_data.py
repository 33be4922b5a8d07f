"""Training reads LIBERO files as it reads ACT's: the same table, the same frames."""

import numpy as np
import pytest
from synthetic_episode import make_frames
from synthetic_libero import TASK, libero_episode, libero_spec, write_dataset_info, write_libero

from ambidex.policies.data.dataset import read_table
from ambidex.policies.data.frames import FrameReader, loaded
from ambidex.recorders.formats.act import episode_path, write_episode
from ambidex.recorders.formats.libero.format import LiberoFormat

LENGTHS = (5, 3, 7)


@pytest.fixture(scope="module", params=["joined", "in parts", "bottom up"])
def libero(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("libero")
    convention = "opengl" if request.param == "bottom up" else "upright"
    for index, steps in enumerate(LENGTHS):
        path = LiberoFormat().episode_path(folder, index)
        write_libero(path, steps=steps, seed=index, convention=convention)
    if request.param != "in parts":
        LiberoFormat().finish(folder, TASK)
    write_dataset_info(folder, libero_spec(), count=len(LENGTHS), format_name="libero")
    return folder


@pytest.fixture(scope="module")
def act(tmp_path_factory):
    folder = tmp_path_factory.mktemp("act")
    for index, steps in enumerate(LENGTHS):
        episode = libero_episode(steps=steps, seed=index)
        write_episode(episode_path(folder, index), episode, make_frames(episode), "lossless")
    write_dataset_info(folder, libero_spec(), count=len(LENGTHS), format_name="act")
    return folder


def test_the_table_is_that_of_an_act_dataset(libero, act):
    one, other = read_table([libero]), read_table([act])
    assert one.spec == other.spec and one.actions.shape == (sum(LENGTHS), 7)
    for field in ("qpos", "objects", "actions"):
        assert np.array_equal(getattr(one, field), getattr(other, field))
    assert [entry.steps for entry in one.entries] == list(LENGTHS)
    assert {entry.instruction for entry in one.entries} == {"put the bowl on the plate"}


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_frames_are_those_of_an_act_dataset(libero, act, workers):
    rows = [np.array([0, 9, 5]), np.array([14, 2])]
    cameras = ("agentview", "robot0_eye_in_hand")
    first, second = (
        list(loaded(FrameReader(read_table([folder]), cameras), rows, workers)) for folder in (libero, act)
    )
    for a, b in zip(first, second, strict=True):
        assert all(np.array_equal(a[camera], b[camera]) for camera in cameras)
