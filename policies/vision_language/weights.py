"""Published weights of transformers' models, loaded strictly from a folder. Nothing is downloaded."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ambidex.errors import CheckpointError
from ambidex.text import first_few

CONFIG, TOKENIZER, PROCESSOR = "config.json", "tokenizer.json", "preprocessor_config.json"
INDEX = "model.safetensors.index.json"
HEAD = "lm_head.weight"  # the base models predict no words
NOT_COMPARED = {"image_grid_pinpoints", "model_type", "max_position_embeddings", "use_cache"}


def load_strictly(
    kind: Any,
    folder: Path,
    values: Mapping[str, Any],
    processor: Mapping[str, Any],
    hint: str,
    model_types: Collection[str] = (),
    misfits: Sequence[str] = (),
) -> Any:
    """A model with the weights of a folder, in float32.

    Args:
        kind: A model class of transformers.
        folder: With config.json and .safetensors files.
        values: The settings of its config that affect the computation, as in config.json.
        processor: The settings of preprocessor_config.json that this project's own preparation of images replaces.
        hint: What to do about weights of another model.
        model_types: The names of the model in config.json; by default the one of the class.
        misfits: What the caller has found that does not fit; it is an error as well.

    Raises:
        CheckpointError: They are of another model, incomplete or unreadable; the message lists the differences.
    """
    config = kind.config_class(**values)
    with _readable(folder), _quiet():  # transformers would print what is listed below
        lines = model_differences(folder, model_types or (kind.config_class.model_type,))
        if not lines:
            lines = config_differences(config, kind.config_class.from_pretrained(folder), values)
            lines += _processor_differences(folder, processor)
        lines += misfits
        if lines:
            raise _mismatch(folder, lines, hint)
        model, found = kind.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            output_loading_info=True,
            dtype="float32",
            ignore_mismatched_sizes=True,  # they are listed below too
        )
    lines = [f"{name} is missing" for name in sorted(found["missing_keys"])]
    lines += [f"{name} is unknown" for name in sorted(found["unexpected_keys"]) if not name.endswith(HEAD)]
    lines += [f"{name} is {tuple(got)}, expected {tuple(size)}" for name, got, size in found["mismatched_keys"]]
    if lines:
        raise _mismatch(folder, lines, hint)
    return model


def load_head(folder: Path, shape: Sequence[int]) -> Tensor:
    """The weights of the output layer for words, in float32, from the .safetensors files of a folder.

    Raises:
        CheckpointError: There is none of this shape.
    """
    got = None
    for file in sorted(folder.glob("*.safetensors")):
        with _readable(folder), safe_open(file, "pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118  (no mapping)
                if name.endswith(HEAD):
                    found: Tensor = tensors.get_tensor(name).float()
                    got = tuple(found.shape)
    if got == tuple(shape):
        return found
    line = f"{HEAD} is {got}, expected {tuple(shape)}" if got else f"{HEAD} is missing"
    raise _mismatch(folder, [line], "Get the files again.")


def missing_files(folder: Path, names: Sequence[str]) -> list[str]:
    """Those of the named files that a folder lacks, and the files of weights that its index lists and it lacks.

    Raises:
        CheckpointError: The index is damaged.
    """
    index = folder / INDEX
    with _readable(folder):
        shards = set(_json(index)["weight_map"].values()) if index.is_file() else {"model.safetensors"}
    return [name for name in (*names, *sorted(shards)) if not (folder / name).is_file()]


def config_differences(expected: Any, found: Any, values: Mapping[str, Any], part: str = "") -> list[str]:
    """A line for each setting named in `values` in which a config of transformers differs from the expected one."""
    lines: list[str] = []
    for name, value in values.items():
        wanted, got = getattr(expected, name), getattr(found, name, None)
        if name.endswith("_config"):
            lines += config_differences(wanted, got, value, f"{name}.")
        elif name not in NOT_COMPARED and not _agree(wanted, got):
            lines.append(f"{part}{name} is {got}, expected {wanted}")
    return lines


def read_text(file: Path) -> str:
    """The content of a text file.

    Raises:
        CheckpointError: It cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error}.", "Get the files again.", path=file) from error


def _agree(wanted: Any, got: Any) -> bool:
    """Whether two settings are the same; transformers adds keys to mappings, and turns tuples into lists."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return all(_agree(value, got.get(name)) for name, value in wanted.items())
    if isinstance(wanted, (list, tuple)) and isinstance(got, (list, tuple)):
        return list(wanted) == list(got)
    return bool(wanted == got)


def model_differences(folder: Path, model_types: Collection[str]) -> list[str]:
    """A line if config.json is of another model than those named.

    Raises:
        CheckpointError: It cannot be read.
    """
    with _readable(folder):
        got = _json(folder / CONFIG).get("model_type")
    return [] if got in model_types else [f"model_type is {got}, expected {' or '.join(model_types)}"]


def _processor_differences(folder: Path, expected: Mapping[str, Any]) -> list[str]:
    values = _json(folder / PROCESSOR) if (folder / PROCESSOR).is_file() else {}
    return [
        f"{name} is {values[name]}, expected {value}"
        for name, value in expected.items()
        if values.get(name, value) != value
    ]


def _json(file: Path) -> Any:
    return json.loads(read_text(file))


def _mismatch(folder: Path, lines: list[str], hint: str) -> CheckpointError:
    return CheckpointError(f"The weights in {folder} do not fit: {first_few(lines)}.", hint, path=folder, got=lines)


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, SafetensorError) as error:
        problem = f"The weights in {folder} cannot be read: {error}."
        raise CheckpointError(problem, "Get the files again.", path=folder) from error


@contextmanager
def _quiet() -> Iterator[None]:
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
