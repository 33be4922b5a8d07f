"""`record-episodes --resume`: what is taken from the dataset, and what is refused."""

import re
from dataclasses import replace

import pytest
from definition_text import TEXT
from goal_states import goal_states, rows_with_the_stove_on_in
from recording_fakes import STATES, FakeAgent, contents, record_to
from still_agent import StillAgent
from torch_file import write_states

from ambidex.envs.env import Environment
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.record_episodes import defaults_for, main
from ambidex.recorders.recording.checks import plan_task


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A dataset of two episodes, recorded with flags that are not the defaults."""
    monkeypatch.setattr("ambidex.recorders.recording.record._expert_factory", lambda config: FakeAgent)
    record_to(tmp_path / "data", STATES, num_episodes=2, seed=3, keep_failures=True, max_attempts=5, workers=0)
    return tmp_path / "data"


def exit_status(*flags):
    with pytest.raises(SystemExit) as end:
        main([*map(str, flags), "--workers", "0", "--quiet"])
    return end.value.code


def test_the_folder_is_enough_to_resume(data):
    before = contents(data)
    (data / "episode_1.hdf5").unlink()
    assert exit_status("--resume", "--output-dir", data) == 0
    assert contents(data) == before


def test_a_flag_of_the_dataset_may_be_given_again(data):
    assert exit_status("--resume", "--output-dir", data, "--keep-failures") == 0


def test_more_episodes_may_take_more_attempts_than_before(data, tmp_path):
    assert exit_status("--resume", "--output-dir", data, "--num-episodes", "4") == 0
    record_to(tmp_path / "all", STATES, num_episodes=4, seed=3, keep_failures=True, workers=0)
    assert contents(data) == contents(tmp_path / "all")


def test_other_flags_than_those_of_the_dataset_are_refused(data, capsys):
    assert exit_status("--resume", "--output-dir", data, "--seed", "0") == 2
    assert "--seed was 3, now 0" in capsys.readouterr().err


def test_with_a_task_no_flag_is_taken_from_the_dataset(data, capsys):
    assert defaults_for(["--resume", "--task", "insertion", "--output-dir", str(data)]) is None
    assert defaults_for(["--output-dir", str(data)]) is None
    assert exit_status("--resume", "--output-dir", data, "--task", "insertion") == 2
    assert "recorded differently" in capsys.readouterr().err


def test_without_a_task_the_folder_must_be_a_dataset(tmp_path, capsys):
    assert exit_status("--resume", "--output-dir", tmp_path / "nothing") == 2
    assert f"--output-dir {tmp_path / 'nothing'} is not a dataset" in capsys.readouterr().err


def test_a_damaged_or_foreign_dataset_json_is_reported(data, capsys):
    text = (data / "dataset.json").read_text()
    (data / "dataset.json").write_text(text.replace("record-episodes --task", "render-episodes x --task"))
    assert exit_status("--resume", "--output-dir", data) == 2
    assert "render-episodes x" in capsys.readouterr().err
    (data / "dataset.json").write_text(text[:40])
    assert exit_status("--resume", "--output-dir", data) == 1
    assert "dataset.json cannot be read" in capsys.readouterr().err


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    directory = tmp_path_factory.mktemp("dataset") / "data"
    record_to(directory, STATES, workers=0)
    return directory


def test_a_dataset_is_not_overwritten(dataset):
    with pytest.raises(UsageError, match="--resume"):
        record_to(dataset, STATES)


def test_every_difference_of_the_flags_is_listed(dataset):
    with pytest.raises(UsageError) as error:
        record_to(dataset, STATES, resume=True, seed=3, storage="jpeg", num_episodes=2)
    found = error.value.facts["differences"]
    assert found[:2] == ("--storage was lossless, now jpeg", "--seed was 0, now 3")
    assert len(found) == 3 and found[2].startswith("--num-episodes was 4, now 2")


def test_a_changed_model_is_refused(dataset, monkeypatch):
    def changed_plan(*args, **options):
        return replace(plan_task(*args, **options), model_sha256="0" * 64)

    monkeypatch.setattr("ambidex.recorders.recording.record.plan_task", changed_plan)
    with pytest.raises(UsageError) as error:
        record_to(dataset, STATES, resume=True, num_episodes=5)
    assert error.value.facts["differences"] == ("the model of robot, objects or scene has changed",)


def test_changed_rows_are_noticed(tmp_path):
    record_to(tmp_path, STATES, workers=0)
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "attempts.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(DatasetError) as error:
        record_to(tmp_path, STATES, resume=True)
    assert error.value.facts == {"path": tmp_path / "attempts.jsonl", "row": 1}
    assert "got seed 1" in error.value.problem and "expected seed 0" in error.value.problem


def test_initial_states_are_compared_by_the_content_of_their_file(tmp_path):
    rows = goal_states(3)
    data, here = tmp_path / "data", write_states(tmp_path / "goal.pruned_init", rows)
    changes = {"task": "libero_goal/1", "workers": 0, "format": "libero"}
    record_to(data, STATES, StillAgent, init_states=here, num_episodes=1, **changes)
    assert read(data).spec.init_states == str(here) and len(read(data).spec.init_states_sha256) == 64
    there = here.rename(tmp_path / "there.pruned_init")
    (summary,) = record_to(data, STATES, StillAgent, init_states=there, num_episodes=2, resume=True, **changes)
    assert summary.complete
    for other in (write_states(there, rows + 0.001), None):
        with pytest.raises(UsageError) as error:
            record_to(data, STATES, StillAgent, init_states=other, num_episodes=2, resume=True, **changes)
        assert error.value.facts["differences"][0].startswith("init_states")


def test_initial_states_that_have_changed_are_refused(data, monkeypatch):
    reset = Environment.reset
    monkeypatch.setattr(Environment, "reset", lambda env, seed, **options: reset(env, seed + 1, **options))
    with pytest.raises(UsageError) as error:
        record_to(data, STATES, num_episodes=3, seed=3, keep_failures=True, max_attempts=5, workers=0, resume=True)
    assert re.match(r"the initial state of insertion, seed \d, has changed", error.value.facts["differences"][0])


def test_a_goal_that_holds_at_the_start_is_said_once(tmp_path, capsys):
    states = write_states(tmp_path / "stove.pruned_init", rows_with_the_stove_on_in(0, count=1))
    changes = {"task": "libero_goal/7", "init_states": states, "format": "libero", "workers": 0, "quiet": False}
    record_to(tmp_path / "data", STATES, StillAgent, num_episodes=2, max_attempts=2, **changes)
    assert capsys.readouterr().err.count("Seed 0: the goal holds") == 1


def test_the_source_of_the_instruction_is_said_once_and_compared(tmp_path, capsys):
    own = tmp_path / "my_task.bddl"
    own.write_text(TEXT)
    changes = {"task": "", "bddl_file": own, "format": "act", "workers": 0, "num_episodes": 1, "max_attempts": 1}
    record_to(tmp_path / "data", STATES, StillAgent, quiet=False, **changes)
    told = capsys.readouterr().err
    assert told.count("instruction is 'my task'") == 1 and "'put the bowl in the drawer'" in told
    changes |= {"resume": True, "max_attempts": 2}
    record_to(tmp_path / "data", STATES, StillAgent, instruction_source="filename", **changes)
    with pytest.raises(UsageError) as error:
        record_to(tmp_path / "data", STATES, StillAgent, instruction_source="language", **changes)
    assert error.value.facts["differences"][-1] == "instruction_source: 'filename' != 'language'"
