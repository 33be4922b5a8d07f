"""LLaVA-OneVision's published weights, loaded strictly from this machine. Nothing is downloaded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.uniact.extractors.llava_config import LlavaShape, config_differences, llava_config
from ambidex.text import first_few

CACHED, NONE = "cached", "none"
CACHE_NAME = "models--llava-hf--llava-onevision-qwen2-0.5b-ov-hf"
UNUSED = ("lm_head.weight",)  # the base model predicts no words
IMAGE_MEAN = IMAGE_STD = 0.5


def weights_folder(source: str) -> Path:
    """The folder of the weights: the one named, or for "cached" the one in the user's Hugging Face cache.

    Raises:
        UsageError: There is none.
    """
    folder = _cached() if source == CACHED else Path(source).expanduser()
    if folder is None or not (folder / "config.json").is_file():
        reason = f"{folder} has no config.json" if folder else "the user's Hugging Face cache has none"
        hint = (
            "Get the files of llava-hf/llava-onevision-qwen2-0.5b-ov-hf and name their folder with --extractor-weights "
            "DIR, start from scratch with --extractor-weights none, or use --extractor scratch, which needs none."
        )
        raise UsageError(f"LLaVA-OneVision needs weights, but {reason}.", hint, field="extractor_weights", path=folder)
    return folder


def pretrained(shape: LlavaShape, folder: Path) -> Any:
    """A LlavaOnevisionModel with the weights of a folder, in float32.

    Raises:
        CheckpointError: They are of another model, incomplete or unreadable; the message lists the differences.
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
                ignore_mismatched_sizes=True,  # they are listed below too
            )
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"The weights in {folder} cannot be read: {error}."
        raise CheckpointError(problem, "Get the files again.", path=folder) from error
    lines = [f"{name} is missing" for name in sorted(found["missing_keys"])]
    lines += [f"{name} is unknown" for name in sorted(found["unexpected_keys"]) if not name.endswith(UNUSED)]
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
    """Differences from the image preparation of this project, which replaces that of transformers."""
    file = folder / "preprocessor_config.json"
    values = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    expected = {"image_mean": [IMAGE_MEAN] * 3, "image_std": [IMAGE_STD] * 3}
    return [
        f"{name} is {values[name]}, expected {value}"
        for name, value in expected.items()
        if values.get(name, value) != value
    ]


def _mismatch(folder: Path, lines: list[str]) -> CheckpointError:
    hint = "Expected those of llava-onevision-qwen2-0.5b-ov, or flags --llava.* that describe these."
    return CheckpointError(f"The weights in {folder} do not fit: {first_few(lines)}.", hint, path=folder, got=lines)


def _cached() -> Path | None:
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = sorted((Path(HF_HUB_CACHE) / CACHE_NAME / "snapshots").glob("*/config.json"))
    return max(snapshots, key=lambda path: path.stat().st_mtime).parent if snapshots else None
