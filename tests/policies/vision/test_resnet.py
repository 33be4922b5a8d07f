import os
import pickle
import subprocess
import sys
from hashlib import sha256

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import nn

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.vision.resnet import FrozenBatchNorm2d, GroupNorm2d, ResNet18
from ambidex.policies.vision.resnet_weights import load_resnet_weights

PUBLISHED_PARAMETERS = 11_689_512 - 513_000  # torchvision's resnet18 without its classifier


def torchvision_names():
    """Names in torchvision's file, without the classifier and counters."""
    norms = ["weight", "bias", "running_mean", "running_var"]
    names = ["conv1.weight", *(f"bn1.{name}" for name in norms)]
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            for i in (1, 2):
                prefix = f"layer{stage}.{block}"
                names += [f"{prefix}.conv{i}.weight", *(f"{prefix}.bn{i}.{name}" for name in norms)]
        if stage > 1:
            shortcut = f"layer{stage}.0.downsample"
            names += [f"{shortcut}.0.weight", *(f"{shortcut}.1.{name}" for name in norms)]
    return names


def random_state(resnet):
    """Random weights and statistics."""
    torch.manual_seed(1)
    return {name: torch.rand(value.shape) * 0.2 + 0.01 for name, value in resnet.state_dict().items()}


def published(resnet):
    """The tensors of torchvision's file."""
    extra = {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    return {**random_state(resnet), **extra, "bn1.num_batches_tracked": torch.tensor(0)}


def reference(x, state):
    """The network of He et al., 2015, table 1, with torch's own batch norm."""

    def norm(x, name):
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"])

    x = F.relu(norm(F.conv2d(x, state["conv1.weight"], stride=2, padding=3), "bn1"))
    x = F.max_pool2d(x, 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
            y = norm(F.conv2d(y, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if f"{name}.downsample.0.weight" in state:
                x = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
            x = F.relu(x + y)
    return x


def test_names_and_sizes_are_those_of_torchvision():
    state = ResNet18().state_dict()
    assert set(state) == set(torchvision_names())
    affine_and_weights = [value for name, value in state.items() if not name.rpartition(".")[2].startswith("running")]
    assert sum(value.numel() for value in affine_and_weights) == PUBLISHED_PARAMETERS


def test_the_output_is_that_of_the_paper():
    resnet = ResNet18(width=8)
    state = random_state(resnet)
    resnet.load_state_dict(state)
    images = torch.randn(2, 3, 70, 90)
    torch.testing.assert_close(resnet(images), reference(images, state), rtol=1e-3, atol=1e-3)


MANY_GRADIENTS = """
import torch
from ambidex.policies.vision.resnet import ResNet18
for width, images in [(8, 3), (4, 5)] * 8:
    batch = torch.randn(images, 3, 48, 64).to(memory_format=torch.channels_last)
    ResNet18(width, "layer")(batch).square().mean().backward()
"""


def test_narrow_networks_train_with_several_threads():
    """A strided 1x1 convolution killed the process here: see `resnet.Shortcut`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}  # waiting threads sleep
    assert subprocess.run([sys.executable, "-c", MANY_GRADIENTS], env=environment, check=False).returncode == 0


@pytest.mark.parametrize(("size", "cells"), [((120, 160), (4, 5)), ((480, 640), (15, 20)), ((33, 65), (2, 3))])
def test_a_feature_map_has_a_32nd_of_the_image_size(size, cells):
    with torch.device("meta"):
        assert ResNet18(width=4)(torch.empty(1, 3, *size)).shape == (1, 32, *cells)


def test_frozen_batch_norm_is_batch_norm_in_evaluation_mode_and_never_changes():
    norm = nn.BatchNorm2d(6).eval()
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        tensor.uniform_(0.5, 2.0)
    frozen = FrozenBatchNorm2d(6)
    frozen.load_state_dict({name: value for name, value in norm.state_dict().items() if "num" not in name})
    x = torch.randn(4, 6, 5, 5)
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    torch.testing.assert_close(frozen.train()(x), norm(x))
    assert not list(frozen.parameters())
    assert all(torch.equal(value, before[name]) for name, value in frozen.state_dict().items())


@pytest.mark.parametrize("groups", [1, 4])
def test_group_norm_equals_that_of_torch(groups):
    ours, theirs = GroupNorm2d(groups, 8), nn.GroupNorm(groups, 8)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 8, 5, 6).to(memory_format=torch.channels_last)
    torch.testing.assert_close(ours(x), theirs(x))
    assert ours(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_published_file_is_loaded(tmp_path, suffix):
    resnet, path = ResNet18(), tmp_path / f"weights{suffix}"
    state = published(resnet)
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    assert str(path) in load_resnet_weights(resnet, str(path))
    assert all(torch.equal(value, state[name]) for name, value in resnet.state_dict().items())


def test_the_cached_file_of_torchvision_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    resnet = ResNet18()
    before = resnet.conv1.weight.clone()
    with pytest.raises(UsageError) as caught:
        load_resnet_weights(resnet, "cached")
    assert caught.value.facts["path"] == tmp_path / "hub" / "checkpoints"
    path = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    path.parent.mkdir(parents=True)
    torch.save(published(resnet), path)
    source = load_resnet_weights(resnet, "cached")
    assert str(path) in source and sha256(path.read_bytes()).hexdigest() in source
    assert not torch.equal(resnet.conv1.weight, before)


@pytest.mark.parametrize("changes", [{"width": 16}, {"norm": "group"}])
def test_cached_weights_that_cannot_fit_are_not_loaded(changes):
    assert "from scratch" in load_resnet_weights(ResNet18(**changes), "cached")


def test_none_starts_from_scratch():
    assert "from scratch" in load_resnet_weights(ResNet18(width=4), "none")


@pytest.mark.parametrize("changes", [{"width": 16}, {"norm": "group"}])
def test_weights_that_do_not_fit_are_refused(tmp_path, changes):
    path = tmp_path / "weights.safetensors"
    save_file(published(ResNet18()), path)
    with pytest.raises(CheckpointError) as caught:
        load_resnet_weights(ResNet18(**changes), str(path))
    assert caught.value.facts["path"] == path and caught.value.facts["got"]


@pytest.mark.parametrize("name", ["missing.pth", "weights.onnx"])
def test_a_file_that_is_missing_or_of_another_kind_is_refused(tmp_path, name):
    (tmp_path / "weights.onnx").touch()
    with pytest.raises(UsageError) as caught:
        load_resnet_weights(ResNet18(width=4), str(tmp_path / name))
    assert caught.value.facts["path"] == tmp_path / name


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights", pickle.dumps(print, protocol=2)])
def test_a_damaged_or_dangerous_file_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_resnet_weights(ResNet18(width=4), str(tmp_path / name))
