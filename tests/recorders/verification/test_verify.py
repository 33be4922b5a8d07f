"""Replaying actions: which changes of an episode are found, and what the command reports."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from recording_fakes import STATES, record_to

from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError
from ambidex.recorders.formats.act import write_episode
from ambidex.recorders.formats.registry import read_episode
from ambidex.recorders.verification.verify import episode_files, verify
from ambidex.recorders.verify_episodes import main


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Two real episodes without images."""
    directory = tmp_path_factory.mktemp("recorded") / "data"
    record_to(directory, STATES, agent=None, num_episodes=2, workers=0)
    return directory


@pytest.fixture
def altered(recorded, tmp_path):
    """Changes fields of an episode, writes and verifies it."""

    def alter(*, ee=False, **changes):
        episode = read_episode(recorded / "episode_0.hdf5")
        write_episode(tmp_path / "episode_0.hdf5", replace(episode, **changes), {}, "lossless")
        ((_, result),) = verify(tmp_path / "episode_0.hdf5", ee=ee, workers=0)
        return result

    return alter


def test_recorded_episodes_reproduce(recorded):
    results = dict(verify(recorded, workers=2))
    assert set(results) == {recorded / "episode_0.hdf5", recorded / "episode_1.hdf5"}
    for result in results.values():
        assert result.reproduces and result.states.first_difference is None and result.states.largest_difference == 0
        assert result.recorded_success and result.joint_success and result.ee_success and result.notes == ()


def test_under_end_effector_control_too(tmp_path):
    record_to(tmp_path, STATES, agent=None, control="ee", num_episodes=1, workers=0)
    assert all(result.reproduces for _, result in verify(tmp_path, workers=0))


def test_end_effector_actions_may_be_left_out(recorded):
    ((_, result),) = verify(recorded / "episode_1.hdf5", ee=False, workers=0)
    assert result.ee_success is None and result.reproduces


def test_another_action_gives_other_states_from_there_on(recorded, altered):
    actions = read_episode(recorded / "episode_0.hdf5").joint_actions.copy()
    actions[100, 0] += 1e-3
    result = altered(joint_actions=actions)
    assert not result.reproduces and result.states.first_difference == 101 and result.states.largest_difference > 0


def test_the_last_bit_is_other_arithmetic_and_more_is_another_state(recorded, altered, tmp_path, capsys):
    states = read_episode(recorded / "episode_0.hdf5").states.copy()
    states[-1, 5] = np.nextafter(states[-1, 5], np.inf)
    result = altered(states=states)
    assert result.states.first_difference == len(states) - 1 and not result.states.same
    assert result.reproduces and 0 < result.states.largest_step_difference < 1e-12
    file = tmp_path / "episode_0.hdf5"
    code, output = code_and_output(capsys, file, "--no-ee", "--workers", "0")
    assert code == 0 and "other arithmetic" in output.out and "0 of 1 episodes have the same states" in output.out
    assert code_and_output(capsys, file, "--no-ee", "--workers", "0", "--bitwise")[0] == 1
    states[-1, 5] += 1e-7
    assert not altered(states=states).reproduces


def test_on_another_type_of_processor_an_episode_reproduces(recorded):
    other = {**os.environ, "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA", "OPENBLAS_CORETYPE": "Prescott"}
    code = "from ambidex.recorders.verify_episodes import main; main()"
    command = [sys.executable, "-c", code, recorded / "episode_0.hdf5", "--workers", "0"]
    done = subprocess.run(command, env=other, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_success_is_found(recorded, altered):
    actions = read_episode(recorded / "episode_0.hdf5").joint_actions
    still = np.repeat(actions[:1], len(actions), axis=0)
    result = altered(joint_actions=still)
    assert not result.joint_success and not result.same_success and not result.states.same
    assert not altered(outcome=Outcome.FAILURE).same_success


def test_bad_end_effector_actions_are_found(recorded, altered):
    actions = read_episode(recorded / "episode_0.hdf5").ee_actions
    result = altered(ee=True, ee_actions=np.repeat(actions[:1], len(actions), axis=0))
    assert result.states.same and result.same_success and not result.same_ee_success and not result.reproduces


def test_another_model_or_mujoco_is_noted_and_replayed(recorded, altered):
    versions = read_episode(recorded / "episode_0.hdf5").versions
    result = altered(model_sha256="0" * 64, versions={**versions, "mujoco": "3.9.0"})
    assert result.reproduces
    assert any("model" in note for note in result.notes) and any("3.9.0" in note for note in result.notes)


def test_failures_are_verified_too(tmp_path):
    record_to(tmp_path, STATES, num_episodes=1, keep_failures=True, workers=0)
    assert [str(path.relative_to(tmp_path)) for path in episode_files(tmp_path)] == [
        "episode_0.hdf5",
        "failures/episode_0.hdf5",
    ]


def code_and_output(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in argv])
    return end.value.code, capsys.readouterr()


def test_the_command_lists_every_episode(recorded, capsys):
    code, output = code_and_output(capsys, recorded, "--workers", "0")
    assert code == 0
    assert "2 of 2 episodes have the same states bit for bit" in output.out
    assert output.out.count("episode_") == 2


def test_the_command_fails_if_one_does_not(recorded, tmp_path, capsys):
    episode = read_episode(recorded / "episode_0.hdf5")
    actions = episode.joint_actions[::-1].copy()
    write_episode(tmp_path / "a.hdf5", replace(episode, joint_actions=actions), {}, "lossless")
    code, output = code_and_output(capsys, tmp_path / "a.hdf5", "--no-ee", "--workers", "0")
    assert code == 1 and "differ from 1" in output.out and "0 of 1" in output.out
    code, output = code_and_output(capsys, tmp_path / "a.hdf5", "--no-ee", "--workers", "0", "--quiet")
    assert (code, output.out) == (1, "") and output.err.count("\n") == 1
    assert "a.hdf5: " in output.err and "differ from 1" in output.err and "ee actions -" in output.err


def test_quiet_prints_nothing(recorded, capsys):
    code, output = code_and_output(capsys, recorded, "--no-ee", "--quiet", "--workers", "0")
    assert (code, output.out, output.err) == (0, "", "")


def test_a_damaged_file_is_named_and_the_others_are_verified(recorded, tmp_path, capsys):
    good = (recorded / "episode_0.hdf5").read_bytes()
    for file in recorded.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "episode_1.hdf5").write_bytes(good[: len(good) // 2])
    code, output = code_and_output(capsys, tmp_path, "--no-ee", "--workers", "0")
    assert code == 1 and "1 of 2 could not be replayed" in output.out and "episode_1.hdf5, " in output.out
    assert "1 of 2 episodes have the same states" in output.out
    code, output = code_and_output(capsys, tmp_path, "--no-ee", "--workers", "0", "--quiet")
    assert (code, output.out) == (1, "") and output.err.count("\n") == 1 and "episode_1.hdf5, " in output.err


def test_missing_paths_are_errors(tmp_path, capsys):
    with pytest.raises(DatasetError, match="not a dataset"):
        list(verify(tmp_path))
    code, output = code_and_output(capsys, tmp_path / "missing.hdf5", "--workers", "0")
    assert code == 2 and "missing.hdf5: there is no such file or folder" in output.err and not output.out
    code, output = code_and_output(capsys)
    assert code == 2 and "No path is given" in output.err


def test_sizes_are_compared_with_the_model_before_anything_is_read(recorded, tmp_path, monkeypatch):
    episode = read_episode(recorded / "episode_0.hdf5")
    wider = replace(episode, states=np.pad(episode.states, ((0, 0), (0, 1))))
    write_episode(tmp_path / "episode_0.hdf5", wider, {}, "lossless")
    monkeypatch.setattr("ambidex.recorders.hdf5.reading.LARGEST_ARRAY", -1)
    ((_, error),) = verify(tmp_path / "episode_0.hdf5", workers=0)
    size = episode.states.shape[1]
    assert f"a state has {size + 1} numbers" in error.message and f"expected {size} and" in error.message


def test_a_number_that_is_not_finite_is_named(recorded, tmp_path, capsys):
    shutil.copy(recorded / "episode_0.hdf5", tmp_path)
    with h5py.File(tmp_path / "episode_0.hdf5", "a") as file:
        file["action"][10, 3] = np.nan
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "episode_0.hdf5"), "--workers", "0"])
    assert ended.value.code == 1
    assert "episode_0.hdf5, field /action, step 10, dimension 3" in capsys.readouterr().out
