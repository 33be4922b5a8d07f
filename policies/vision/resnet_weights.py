"""Published weights into ResNet-18, from a file on this machine. Nothing is downloaded."""

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

NONE, CACHED = "none", "cached"
CACHED_PATTERN = "resnet18-*.pth"
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, LookupError, pickle.UnpicklingError, SafetensorError)
FROM_SCRATCH = "The image encoder starts from scratch"


def load_resnet_weights(backbone: ResNet18, source: str) -> str:
    """Fill a backbone in place.

    Args:
        backbone: With frozen batch norm and the published width, if the weights are to fit.
        source: "none", "cached", or a .safetensors or .pth file with torchvision's names.

    Returns:
        Where the weights come from, in a sentence.

    Raises:
        UsageError: The file does not exist, or is of another kind; or nothing is cached that would fit.
        CheckpointError: It cannot be read, or does not fit.
    """
    if source == NONE:
        return f"{FROM_SCRATCH}, as asked for."
    if source == CACHED and not _published_fit(backbone.width, backbone.norm):
        return f"{FROM_SCRATCH}: published weights are for width {PUBLISHED_WIDTH} and frozen batch norm."
    missing = missing_resnet_weights(backbone.width, backbone.norm, source)
    if missing:
        raise UsageError(missing)
    return _fill(backbone, cached_files()[-1] if source == CACHED else Path(source).expanduser())


def missing_resnet_weights(width: int, norm: Norm, source: str) -> str:
    """Which file `load_resnet_weights` would miss, and what to do about it, in words; empty if none.

    Args:
        width: Of the backbone.
        norm: Of the backbone.
        source: As `load_resnet_weights`.
    """
    if source == NONE or (source == CACHED and (cached_files() or not _published_fit(width, norm))):
        return ""
    if source == CACHED:
        return (
            f"ResNet-18 with frozen batch norm needs ImageNet weights, and none lie in {_cache()}. Put torchvision's "
            "resnet18-f37072fd.pth there, name a file with --backbone-weights FILE, or learn from scratch with "
            "--backbone-weights none --backbone-norm group --backbone-learning-rate 1e-4: without weights, frozen "
            "batch norm is no normalisation, and a rate meant for fine-tuning hardly moves what is random."
        )
    file = Path(source).expanduser()
    if file.is_file():
        return ""
    return f"backbone_weights: {file} is no file. Give a .safetensors or .pth file, 'cached' or 'none'."


def cached_files() -> list[Path]:
    """ImageNet files of ResNet-18 that torchvision once downloaded."""
    return sorted(_cache().glob(CACHED_PATTERN))


def _published_fit(width: int, norm: Norm) -> bool:
    return width == PUBLISHED_WIDTH and norm == "frozen"


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _fill(backbone: ResNet18, file: Path) -> str:
    expected = backbone.state_dict()
    found = {name: value for name, value in _read(file).items() if _belongs(name)}
    wrong = [
        f"{name} ({_shape(found.get(name))}, expected {_shape(expected.get(name))})"
        for name in sorted(expected.keys() | found.keys())
        if _shape(found.get(name)) != _shape(expected.get(name))
    ]
    if wrong:
        raise CheckpointError(
            f"The weights in {file} do not fit ResNet-18 of width {backbone.width} with {backbone.norm} norm: "
            f"{len(wrong)} tensors differ, the first: {'; '.join(wrong[:3])}. Expected torchvision's names and shapes; "
            f"published weights need backbone_width {PUBLISHED_WIDTH} and backbone_norm 'frozen'."
        )
    backbone.load_state_dict(found)
    return f"The image encoder starts from {file} (sha256 {sha256(file.read_bytes()).hexdigest()})."


def _read(file: Path) -> Mapping[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        if file.suffix == ".pth":
            return torch.load(file, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except UNREADABLE as error:
        raise CheckpointError(
            f"The weights in {file} cannot be read ({type(error).__name__}: {error}). Get the file again."
        ) from error
    raise UsageError(f"backbone_weights: {file} is neither .safetensors nor .pth.")


def _belongs(name: str) -> bool:
    """Not of the classifier, nor a counter that only training batch norm needs."""
    return not name.startswith("fc.") and not name.endswith("num_batches_tracked")


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(str(size) for size in tensor.shape) or "scalar"
