"""LLaVA-OneVision's published weights, from this machine. Nothing is downloaded. Imports transformers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.uniact.extractor.llava_config import LlavaShape, config_differences, llava_config
from ambidex.text import first_few

CACHED, NONE = "cached", "none"
CACHE_NAME = "models--llava-hf--llava-onevision-qwen2-0.5b-ov-hf"
NOT_NEEDED = ("lm_head.weight",)  # nobody asks for words
MEAN = STD = 0.5


def weights_folder(source: str) -> Path:
    """The folder that a setting means.

    Raises:
        UsageError: There is none.
    """
    folder = _cached() if source == CACHED else Path(source).expanduser()
    if folder is None or not (folder / "config.json").is_file():
        where = f"{folder} has no config.json" if folder else "the user's Hugging Face cache has none"
        raise UsageError(
            f"LLaVA-OneVision needs weights, and {where}. Get the files of llava-hf/llava-onevision-qwen2-0.5b-ov-hf "
            "and name their folder with --extractor-weights DIR, start from scratch with --extractor-weights none, or "
            "take an extractor that needs none with --extractor scratch."
        )
    return folder


def pretrained(shape: LlavaShape, folder: Path) -> Any:
    """A LlavaOnevisionModel with the weights of a folder, in float32.

    Raises:
        CheckpointError: They are of another model, incomplete or unreadable; the message lists what does not match.
    """
    from transformers import LlavaOnevisionConfig, LlavaOnevisionModel

    lines = config_differences(shape, LlavaOnevisionConfig.from_pretrained(folder, local_files_only=True).to_dict())
    lines += _image_differences(folder)
    if lines:
        raise _mismatch(folder, lines)
    try:
        with _quiet():  # it would print what is listed below
            model, found = LlavaOnevisionModel.from_pretrained(
                folder,
                config=llava_config(shape),
                local_files_only=True,
                output_loading_info=True,
                dtype="float32",
                ignore_mismatched_sizes=True,  # they are listed too
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"The weights in {folder} cannot be read: {error}. Get the files again.") from error
    lines = [f"{name} is missing" for name in sorted(found["missing_keys"])]
    lines += [f"{name} is unknown" for name in sorted(found["unexpected_keys"]) if not name.endswith(NOT_NEEDED)]
    lines += [f"{name} is {tuple(got)}, expected {tuple(size)}" for name, got, size in found["mismatched_keys"]]
    if lines:
        raise _mismatch(folder, lines)
    return model


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


def _image_differences(folder: Path) -> list[str]:
    """Images are prepared here, so a folder that prepares them otherwise is another model's."""
    file = folder / "preprocessor_config.json"
    values = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    expected = {"image_mean": [MEAN] * 3, "image_std": [STD] * 3}
    return [
        f"{name} is {values[name]}, expected {value}"
        for name, value in expected.items()
        if values.get(name, value) != value
    ]


def _mismatch(folder: Path, lines: list[str]) -> CheckpointError:
    return CheckpointError(
        f"The weights in {folder} do not fit: {first_few(lines)}. Expected those of "
        "llava-onevision-qwen2-0.5b-ov, or flags --llava.* that describe these."
    )


def _cached() -> Path | None:
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = sorted((Path(HF_HUB_CACHE) / CACHE_NAME / "snapshots").glob("*/config.json"))
    return max(snapshots, key=lambda path: path.stat().st_mtime).parent if snapshots else None
