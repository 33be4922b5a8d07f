"""What `merge-datasets` refuses: different recordings, the same attempts twice, other and damaged datasets."""

import json

import pytest
from recording_fakes import STATES, record_to
from sharded_recording import LuckyAgent, record_shards

from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.merging.merge import merge


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Three shards of four attempts, of which two succeed."""
    return record_shards(tmp_path_factory.mktemp("shards"), 3, STATES)


def changed_copy(source, target, change):
    """A copy of a dataset with another dataset.json."""
    (found,) = merge([source], target)
    info = json.loads((source / "dataset.json").read_text())
    change(info)
    (target / "dataset.json").write_text(json.dumps(info))
    assert found.sources == 1
    return target


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda info: info["config"].update(noise=0.5), "--noise: 0.0 in {one}, 0.5 in {other}"),
        (lambda info: info["config"].update(num_episodes=5), "--num-episodes: 4 in {one}, 5 in {other}"),
        (lambda info: info["config"].update(storage="raw"), "--storage: lossless in {one}, raw in {other}"),
        (lambda info: info["versions"].update(ambidex="0.1.9"), "ambidex: "),
        (lambda info: info["versions"].update(mujoco="9.9"), "mujoco: "),
        (lambda info: info["env_spec"].update(horizon=77), "horizon: "),
    ],
)
def test_different_recordings_are_not_merged(change, difference, shards, tmp_path):
    other = changed_copy(shards[1], tmp_path / "other", change)
    with pytest.raises(UsageError) as error:
        merge([shards[0], other, shards[2]], tmp_path / "merged")
    assert error.value.facts["paths"] == (shards[0], other)
    (found,) = error.value.facts["differences"]
    assert found.startswith(difference.format(one=shards[0], other=other)) and not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    ("models", "pair"), [(("a", "a", "b"), (0, 2)), (("", "a", "b"), (1, 2)), (("a", "", "b"), (0, 2))]
)
def test_other_models_are_not_merged(models, pair, shards, tmp_path, monkeypatch):
    """Not even if the first shards have no episode, and so no model."""
    found = iter(models)
    monkeypatch.setattr("ambidex.recorders.merging.source._models", lambda *_: frozenset(next(found)))
    with pytest.raises(UsageError) as error:
        merge(shards, tmp_path / "merged")
    one, other = (shards[index] for index in pair)
    assert error.value.facts == {
        "paths": (one, other),
        "differences": (f"the model of robot, objects or scene: a in {one}, b in {other}",),
    }


def test_an_attempt_in_two_folders_is_refused(shards, tmp_path):
    for twice in ([shards[0], shards[0]], [shards[0], changed_copy(shards[0], tmp_path / "copy", lambda info: None)]):
        with pytest.raises(UsageError) as error:
            merge([shards[1], *twice], tmp_path / "merged")
        seeds = tuple(attempt.seed for attempt in read_attempts(shards[0]))
        assert error.value.facts == {"paths": tuple(twice), "seeds": seeds}


def test_datasets_of_other_commands_and_damaged_ones_are_refused(shards, tmp_path):
    def render(info):
        info["command"] = "render-episodes data"

    rendered = changed_copy(shards[0], tmp_path / "rendered", render)
    with pytest.raises(UsageError, match="render-episodes"):
        merge([rendered], tmp_path / "merged")
    record_to(tmp_path / "shard", STATES, LuckyAgent, workers=0, shard="1/3")
    (tmp_path / "shard" / "episode_0.hdf5").write_bytes(b"")
    with pytest.raises(DatasetError) as error:
        merge([tmp_path / "shard"], tmp_path / "merged")
    assert error.value.facts["path"] == tmp_path / "shard" / "episode_0.hdf5"
    with pytest.raises(UsageError, match="folders of one suite"):
        merge([tmp_path, shards[0]], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_datasets_of_a_format_with_common_files_are_refused(shards, tmp_path):
    def to_lerobot(info):
        info.update(format="lerobot", attempts=0, episodes=0, complete=False)

    other = changed_copy(shards[0], tmp_path / "lerobot", to_lerobot)
    with pytest.raises(UsageError, match="convert-dataset --format lerobot"):
        merge([other], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
