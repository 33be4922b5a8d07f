"""Processes of one training on several machines: they fail together, and train as those of one machine do."""

import os
import subprocess
import sys

import pytest
import torch.distributed as dist
from training_runs import same_tensors, tensors, train_on_two_nodes

from ambidex.errors import UsageError
from ambidex.policies.training.distributed import Ranks, check_same_everywhere, together

FIRST = Ranks(rank=0, count=2)
SETTINGS = ("--policy", "act", "--preset", "tiny", "--observations", "state", "--steps", 4, "--batch-size", 2)


@pytest.fixture
def other(monkeypatch):
    """What the second of two processes gives: a dict whose "value" may be set."""
    given = {"value": ""}

    def gather(found, own):
        found[:] = [own, ("node2", given["value"])]

    monkeypatch.setattr(dist, "all_gather_object", gather)
    return given


def test_an_error_in_another_process_is_raised_here_too(other):
    other["value"] = "no such dataset: data/cube."
    with (
        pytest.raises(UsageError, match="Process 1 of 2, on node2, cannot train: no such dataset: data/cube"),
        together(FIRST),
    ):
        pass


def test_an_error_of_this_process_stays_what_it_is(other):
    with pytest.raises(FileNotFoundError), together(FIRST):
        raise FileNotFoundError


def test_other_data_or_versions_on_another_machine_are_named(other):
    facts = {"data": {"sha256": "a"}, "torch": "2.13.0"}
    other["value"] = facts
    check_same_everywhere(FIRST, facts)
    other["value"] = {**facts, "torch": "2.14.0"}
    with pytest.raises(UsageError) as caught:
        check_same_everywhere(FIRST, facts)
    assert caught.value.facts == {"field": "torch", "got": "2.14.0", "expected": "2.13.0"}
    assert "node2" in str(caught.value)


def test_one_process_has_nothing_to_compare():
    check_same_everywhere(Ranks(), {"torch": "2.13.0"})


@pytest.fixture
def nodes(tmp_path):
    """Two folders, as those of two machines without a shared one."""
    folders = [tmp_path / "node0", tmp_path / "node1"]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.mark.slow
def test_two_nodes_train_the_same_weights_as_two_processes_of_one(states, nodes, tmp_path):
    flags = [*SETTINGS, "--data", states]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [*torchrun, "-m", "ambidex.policies.train_policy", *flags, "--output-dir", tmp_path / "one"]
    subprocess.run([*map(str, words)], check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    statuses, errors = train_on_two_nodes(nodes, [*flags, "--output-dir", "run"])
    assert statuses == [0, 0], errors
    assert same_tensors(tensors(tmp_path / "one", 4), tensors(nodes[0] / "run", 4))
    assert list(nodes[1].iterdir()) == []


@pytest.mark.slow
def test_both_nodes_stop_at_once_if_one_cannot_train(states, nodes):
    (nodes[0] / "data").symlink_to(states)
    statuses, errors = train_on_two_nodes(nodes, [*SETTINGS, "--data", "data", "--output-dir", "run"])
    assert 0 not in statuses
    assert "Process 1 of 2" in errors[0] and "data" in errors[1]
    assert not (nodes[0] / "run" / "checkpoints").exists()
