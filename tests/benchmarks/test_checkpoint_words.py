"""run-benchmark says which checkpoint acts, and how it was found."""

from dataclasses import replace

import pytest
from benchmarking_fakes import HOLD
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.envs.env import make

SPEC = make("insertion", cameras=("top",), image_size=(24, 32)).spec


@pytest.fixture
def said(tmp_path, monkeypatch, capfd):
    """Runs an episode of a policy in a folder with runs/; gives the first line on stderr."""
    monkeypatch.chdir(tmp_path)

    def first_line(**changes):
        folder = tmp_path / "results" / str(len(list(tmp_path.glob("results/*"))))
        config = replace(HOLD, policy="act", episodes=1, device="cpu", quiet=False, output_dir=folder)
        benchmark(replace(config, **changes), load=lambda path: ToyPolicy(SPEC))
        return next(iter(capfd.readouterr().err.splitlines()), "")

    return first_line


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "mine"
    write_checkpoint(folder / "checkpoints" / "200")
    (folder / "checkpoints" / "last").symlink_to("200")
    return folder


def test_it_is_named_and_how_it_was_found(said, run):
    found = f"run-benchmark: The checkpoint is {run / 'checkpoints' / '200'}"
    assert said() == f"{found}, the last one of the newest run of act under runs/."
    assert said(checkpoint=run) == said(checkpoint=run / "checkpoints" / "last") == f"{found}, the last one of {run}."
    assert said(checkpoint=run / "checkpoints" / "200") == f"{found}."


def test_it_is_named_when_no_episode_is_left_to_run_and_not_if_it_is_to_be_quiet(said, run, tmp_path):
    assert said(output_dir=tmp_path / "out", quiet=True) == ""
    assert str(run / "checkpoints" / "200") in said(output_dir=tmp_path / "out", resume=True)
