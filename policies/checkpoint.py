"""Checkpoints: a trained policy in a folder that is enough to run it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ambidex.atomic_files import replacing_folder, write_json
from ambidex.codec import from_json, parse, to_json
from ambidex.envs.types import EnvSpec
from ambidex.errors import CheckpointError
from ambidex.lookup import resolve
from ambidex.output_folder import TRAINING_PACKAGES, versions
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.normalization import Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.registry import POLICIES
from ambidex.policies.run_folder import (
    CONFIG,
    checkpoint_path,
    find_checkpoint,
    point_last_to,
)
from ambidex.text import first_few

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT_VERSION = 1
Value = TypeVar("Value")
ENV_SPEC = "env_spec.json"
STATISTICS = "statistics.json"
MODEL = "model.safetensors"
FURTHER_ROBOTS = "robots"


def policy_class(name: str) -> type[Policy]:
    """The class of a registered policy.

    Raises:
        UnknownNameError: No such policy.
    """
    found = resolve("policy", name, POLICIES)
    assert isinstance(found, type) and issubclass(found, Policy), f"{name} is registered, but not a Policy: {found}"
    return found


def save(
    directory: Path,
    policy: Policy,
    config: "DataclassInstance",
    statistics: Sequence[Statistics],
    step: int,
    *,
    weights: Mapping[str, Tensor] | None = None,
    write_more: Callable[[Path], None] | None = None,
) -> Path:
    """Write `directory`/checkpoints/`step`, whole or not at all, and let checkpoints/last point to it.

    Args:
        directory: The run's folder.
        policy: What is saved.
        config: The policy's own settings.
        statistics: Of the training data of each robot, in the order of `policy.specs`.
        step: Training steps behind it.
        weights: By name, in place of the policy's own; those that are not named are its own.
        write_more: Writes what else belongs to the checkpoint, into the folder it is given.

    Returns:
        The checkpoint's folder.

    Raises:
        DatasetError: The folder cannot be written.
        CheckpointError: The tensors cannot be written.
    """
    path = checkpoint_path(directory, step)
    with replacing_folder(path) as temporary:
        for number, (spec, own) in enumerate(zip(policy.specs, statistics, strict=True)):
            _write_robot(robot_folder(temporary, number), spec, own)
        write_tensors(temporary / MODEL, {**policy.state_dict(), **(weights or {})})
        for name, text in policy.text_files().items():
            _write_text(temporary / name, text)
        if write_more:
            write_more(temporary)
        write_json(temporary / CONFIG, _description(policy, config, step))
    point_last_to(directory, step)
    return path


def load(path: str | Path) -> Policy:
    """The policy of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: A run's folder (its last checkpoint is taken), checkpoints/last, or checkpoints/STEP.

    Raises:
        UsageError: No checkpoint there, or of an unknown policy.
        CheckpointError: Damaged, or written by another version.
    """
    folder = find_checkpoint(Path(path))
    name, values = _read_description(folder)
    kind = policy_class(name)
    try:
        config = from_json(kind.config_type, values, complete=True)
        (spec, statistics), *further = _read_robots(folder)
    except ValueError as error:
        raise CheckpointError(
            f"{folder} does not fit this version of ambidex: {error}. Use the version that wrote it, or train again."
        ) from error
    policy = kind(config, spec, statistics)
    for spec, statistics in further:
        policy.add_embodiment(spec, statistics)
    _load_strictly(policy, folder / MODEL)
    load_text_files(policy, folder)
    return policy.eval()


def robot_folder(folder: Path, number: int) -> Path:
    """Where in a checkpoint's folder a robot's spec and statistics are: the first one's beside everything else."""
    return folder / FURTHER_ROBOTS / str(number) if number else folder


def robot_folders(folder: Path) -> list[Path]:
    """Where in a checkpoint's folder its robots are, as far as they are there."""
    further = takewhile(Path.is_dir, (robot_folder(folder, number) for number in count(1)))
    return [folder, *further]


def load_text_files(policy: Policy, folder: Path) -> None:
    """Give a policy the texts of a checkpoint's folder.

    Raises:
        CheckpointError: One is missing or damaged.
    """
    names = tuple(policy.text_files())
    if names:
        policy.load_text_files({name: _read_text(folder / name) for name in names})


def _write_robot(folder: Path, spec: EnvSpec, statistics: Statistics) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / ENV_SPEC, to_json(spec))
    write_json(folder / STATISTICS, to_json(statistics))


def _read_robots(folder: Path) -> Iterator[tuple[EnvSpec, Statistics]]:
    for own in robot_folders(folder):
        yield _read_as(EnvSpec, own / ENV_SPEC), _read_as(Statistics, own / STATISTICS)


def _description(policy: Policy, config: "DataclassInstance", step: int) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "policy": policy.name,
        "step": step,
        "config": to_json(config),
        "versions": versions(TRAINING_PACKAGES),
    }


def _read_description(folder: Path) -> tuple[str, object]:
    values = _read_json(folder / CONFIG)
    version = values.get("format_version")
    if version != FORMAT_VERSION or not isinstance(values.get("policy"), str):
        raise CheckpointError(
            f"{folder / CONFIG}: got format_version {version!r} and policy {values.get('policy')!r}, expected "
            f"format_version {FORMAT_VERSION} and a name. Use the version of ambidex that wrote it, or train again."
        )
    return str(values["policy"]), values.get("config")


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error}. Make room, or give another --output-dir.") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Restore the checkpoint from a copy.") from error


def _read_as(kind: type[Value], path: Path) -> Value:
    try:
        return from_json(kind, _read_json(path))
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Restore the checkpoint from a copy.") from error


def _read_json(path: Path) -> dict[str, object]:
    try:
        values = parse(_read_text(path))
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Restore the checkpoint from a copy.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds no object. Restore the checkpoint from a copy.")
    return values


def _load_strictly(policy: Policy, path: Path) -> None:
    stored = read_tensors(path)
    _check_robots(policy, path.parent, stored)
    misfits = tensor_misfits(policy.state_dict(), stored)
    if misfits:
        raise CheckpointError(
            f"{path} does not fit its own {CONFIG}, {len(misfits)} tensors differ: {first_few(misfits)}. Restore the "
            "checkpoint from a copy."
        )
    policy.load_state_dict(stored)


def _check_robots(policy: Policy, folder: Path, tensors: Collection[str]) -> None:
    there = [embodiment_of(spec) for spec in policy.specs]
    stored = policy.embodiments_in(tensors)
    if set(stored) <= set(there):
        return
    own = robot_folder(folder, len(there))
    missing = own if own.parent.is_dir() else own.parent
    raise CheckpointError(
        f"The folder {missing.relative_to(folder)}/ of the checkpoint {folder} is missing: {MODEL} has "
        f"{len(stored)} robots, {', '.join(stored)}, and {ENV_SPEC} and {STATISTICS} are there for "
        f"{', '.join(there)} alone. Restore the folder from a copy of the checkpoint."
    )


# FOLDED policies.training.tensor_file: Tensors in a safetensors file. No pickle: a file from elsewhere can do no harm.

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


# FOLDED policies.tensor_misfits: Why tensors from a file are not those of a model.


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
