"""Loads published weights into ResNet-18 from a file on this machine. Nothing is downloaded."""

import pickle
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.vision.resnet import PUBLISHED_WIDTH, Norm, ResNet18
from ambidex.text import first_few

NONE, CACHED = "none", "cached"
CACHED_PATTERN = "resnet18-*.pth"
READ_ERRORS = (OSError, EOFError, RuntimeError, ValueError, LookupError, pickle.UnpicklingError, SafetensorError)
FROM_SCRATCH = "The image encoder starts from scratch"


def load_resnet_weights(backbone: ResNet18, source: str) -> str:
    """Load weights into a backbone, in place; returns a sentence about their source.

    The source is "none", "cached", or a .safetensors or .pth file with torchvision's names. Published weights are for
    frozen batch norm and the published width only.

    Raises:
        UsageError: The file does not exist, or has another suffix; or no cached file fits.
        CheckpointError: It cannot be read, or does not fit.
    """
    if source == NONE:
        return f"{FROM_SCRATCH}, as the settings say."
    if source == CACHED and not _published_fit(backbone.width, backbone.norm):
        return f"{FROM_SCRATCH}: published weights are for width {PUBLISHED_WIDTH} and frozen batch norm."
    missing = missing_resnet_weights(backbone.width, backbone.norm, source)
    if missing:
        raise missing
    return _load(backbone, cached_files()[-1] if source == CACHED else Path(source).expanduser())


def missing_resnet_weights(width: int, norm: Norm, source: str) -> UsageError | None:
    """The error that `load_resnet_weights` would raise because a file does not exist; None if it would not."""
    if source == NONE or (source == CACHED and (cached_files() or not _published_fit(width, norm))):
        return None
    if source == CACHED:
        return UsageError(
            f"ResNet-18 with frozen batch norm needs ImageNet weights, but there are none in {_cache()}.",
            "Put torchvision's resnet18-f37072fd.pth there, name a file with --backbone-weights FILE, or train from "
            "scratch with --backbone-weights none --backbone-norm group --backbone-learning-rate 1e-4.",
            field="backbone_weights",
            path=_cache(),
        )
    file = Path(source).expanduser()
    if file.is_file():
        return None
    hint = "Give a .safetensors or .pth file, 'cached' or 'none'."
    return UsageError(f"backbone_weights: there is no file {file}.", hint, field="backbone_weights", path=file)


def cached_files() -> list[Path]:
    """ImageNet weights of ResNet-18 in torch's cache."""
    return sorted(_cache().glob(CACHED_PATTERN))


def _published_fit(width: int, norm: Norm) -> bool:
    return width == PUBLISHED_WIDTH and norm == "frozen"


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _load(backbone: ResNet18, file: Path) -> str:
    expected = backbone.state_dict()
    found = {name: value for name, value in _read(file).items() if _is_used(name)}
    mismatches = [
        f"{name} ({_shape(found.get(name))}, expected {_shape(expected.get(name))})"
        for name in sorted(expected.keys() | found.keys())
        if _shape(found.get(name)) != _shape(expected.get(name))
    ]
    if mismatches:
        kind = f"ResNet-18 of width {backbone.width} with {backbone.norm} norm"
        problem = f"The weights in {file} do not fit {kind}, {len(mismatches)} tensors differ: {first_few(mismatches)}."
        hint = f"torchvision's weights need backbone_width {PUBLISHED_WIDTH} and backbone_norm 'frozen'."
        raise CheckpointError(problem, hint, path=file, got=mismatches)
    backbone.load_state_dict(found)
    return f"The image encoder starts from {file} (sha256 {sha256(file.read_bytes()).hexdigest()})."


def _read(file: Path) -> Mapping[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        if file.suffix == ".pth":
            return torch.load(file, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except READ_ERRORS as error:
        problem = f"The weights in {file} cannot be read ({type(error).__name__}: {error})."
        raise CheckpointError(problem, "Get the file again.", path=file) from error
    problem = f"backbone_weights: {file} is neither .safetensors nor .pth."
    raise UsageError(problem, field="backbone_weights", path=file)


def _is_used(name: str) -> bool:
    """Whether a tensor is used: not those of the classifier, nor the counters of training batch norm."""
    return not name.startswith("fc.") and not name.endswith("num_batches_tracked")


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(str(size) for size in tensor.shape) or "scalar"
