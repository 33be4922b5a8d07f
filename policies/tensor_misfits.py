"""Why tensors from a file are not those of a model."""

from collections.abc import Mapping

from torch import Tensor


def tensor_misfits(own: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """A line for each tensor that is missing, unknown or of another shape; empty if the file fits.

    Args:
        own: The model's.
        found: The file's.
    """
    return [
        *(f"{name} is missing" for name in own if name not in found),
        *(f"{name} is unknown" for name in found if name not in own),
        *(
            f"size mismatch of {name}: {tuple(found[name].shape)} in the file, expected {tuple(value.shape)}"
            for name, value in own.items()
            if name in found and found[name].shape != value.shape
        ),
    ]
