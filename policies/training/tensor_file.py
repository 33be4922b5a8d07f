"""Tensors in a safetensors file. No pickle: a file from elsewhere can do no harm."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ambidex.errors import CheckpointError

RESTORE = "Restore the checkpoint from a copy, or name the folder of an earlier one."


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a new file.

    Raises:
        CheckpointError: It cannot be written.
    """
    try:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} could not be written: {error}. Check the space and the permissions of {path.parent.parent}; "
            "earlier checkpoints are whole, go on from them with --resume."
        ) from error


def read_tensors(path: Path, remedy: str = RESTORE) -> dict[str, Tensor]:
    """Inverse of `write_tensors`, on the CPU.

    Args:
        path: The file.
        remedy: What to do if it is damaged, in words.

    Raises:
        CheckpointError: Missing or damaged.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. {remedy}") from error
