"""UniAct trained as a machine or an accident asks for: streamed, compiled, on two ranks, without its base."""

import dataclasses
import functools
import shutil

import pytest
import torch
from safetensors.torch import load_file
from training_runs import curves, interrupt, same_tensors, tensors, train_on_two_ranks
from two_robots_data import write_two_datasets
from uniact_samples import uniact_settings

from ambidex.policies.checkpoint import load
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults_for

pytestmark = pytest.mark.usefixtures("one_thread")
TERMS = {"blind_weight": 0.3, "information_weight": 2e-3}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_two_datasets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    return train(uniact_settings(data[0], tmp_path_factory.mktemp("base") / "run", model=TERMS, steps=3))


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_streamed_frames_of_several_robots_give_the_same_bits(data, tmp_path, workers):
    """Each robot's frames come from readers of its own, in the order of its own turns."""
    paths = {"resident": {}, "streaming": {"data_path": "streaming", "data_workers": workers}}
    runs = [train(uniact_settings(data, tmp_path / name, random_shift=2, **flags)) for name, flags in paths.items()]
    assert same_tensors(*(tensors(run, 6) for run in runs))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # which torch hides from users itself
@pytest.mark.slow
def test_several_robots_can_be_compiled(data, tmp_path, monkeypatch):
    """aot_eager splits forward from backward as inductor does, and spares the C++ compiler, which takes minutes."""
    plain = train(uniact_settings(data, tmp_path / "plain", model=TERMS, log_every=1))
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    compiled = train(uniact_settings(data, tmp_path / "compiled", model=TERMS, log_every=1, compile=True))
    for term in ("temperature", "divergence", "information"):
        first, second = (dict(curves(run)[f"loss/{term}"]) for run in (plain, compiled))
        assert first == pytest.approx(second, rel=0.05), term  # codes are drawn with other numbers
    assert load(compiled).model.codebook.temperature.step == 6


def test_an_adaptation_goes_on_without_the_checkpoint_that_it_began_with(data, base, tmp_path):
    shutil.copytree(base, tmp_path / "base", symlinks=True)
    config = uniact_settings(data[1], tmp_path / "run", model=TERMS, adapt=tmp_path / "base")
    whole = train(dataclasses.replace(config, output_dir=tmp_path / "whole"))
    interrupt(config, 2)
    shutil.rmtree(tmp_path / "base")
    words = ["--resume", "--output-dir", str(tmp_path / "run")]
    train(dataclasses.replace(defaults_for(words), resume=True, quiet=True))
    assert same_tensors(tensors(whole, 6), tensors(tmp_path / "run", 6))


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 2])
def test_two_ranks_adapt_as_one_does_with_twice_the_batch(data, base, tmp_path, shift):
    """No code is drawn in an adaptation. With a shift, which is drawn in each process, images are read out anew."""
    flags = (
        "--policy uniact --preset tiny --steps 4 --device cpu --precision fp32 --ema-decay 0 --gradient-clip 0 --quiet "
        f"--validation-fraction 0 --schedule constant --learning-rate 0.001 --random-shift {shift} --chunk-size 8"
    ).split()
    words = [*flags, "--adapt", base, "--data", data[1]]
    train_on_two_ranks([*words, "--output-dir", tmp_path / "two", "--batch-size", 4])
    first, second = (load_file(tmp_path / f"two-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    if not shift:
        config = defaults_for(["--resume", "--output-dir", str(tmp_path / "two")])
        one = load(train(dataclasses.replace(config, output_dir=tmp_path / "one", batch_size=8, quiet=True)))
        assert all(torch.allclose(value, first[name], atol=1e-4) for name, value in one.state_dict().items())
