"""Checkpoints: saves a trained policy to a folder, and loads it from that folder alone. No pickle anywhere."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ambidex.atomic_files import check_regular_file, read_bytes, replacing_folder, write_json
from ambidex.codec import from_json, parse, to_json
from ambidex.envs.registry import check_spec
from ambidex.envs.types import EnvSpec
from ambidex.errors import AmbidexError, CheckpointError, UsageError
from ambidex.lookup import resolve
from ambidex.output_folder import TRAINING_PACKAGES, versions
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.normalization import Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.registry import POLICIES
from ambidex.policies.run_folder import (
    CONFIG,
    ENV_SPEC,
    MODEL,
    STATISTICS,
    checkpoint_path,
    embodiment_folder,
    embodiment_folders,
    find_checkpoint,
    point_last_to,
    saved_steps,
)
from ambidex.text import first_few

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RESTORE = "Restore the checkpoint from a copy."
RESTORE_OR_EARLIER = "Restore the checkpoint from a copy, or name the folder of an earlier one."
SPARE = 100  # parameters
OTHER_VERSION = "Use the version of ambidex that wrote it, or train again."
Value = TypeVar("Value")


def policy_class(name: str) -> type[Policy]:
    """The class of a registered policy.

    Raises:
        UnknownNameError: No such policy.
        AmbidexError: What is registered under the name is no policy, or cannot be imported.
    """
    found = resolve("policy", name, POLICIES)
    if not (isinstance(found, type) and issubclass(found, Policy) and getattr(found, "name", "") == name):
        owner = POLICIES.distribution(name)
        problem = f"{found!r}, which {owner or 'ambidex'} registers as the policy {name!r}, is no policy of this name."
        raise AmbidexError(problem, "Register a subclass of Policy under its own name.", name=name, distribution=owner)
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
        directory: The run folder.
        policy: The policy to save.
        config: Its settings.
        statistics: Statistics of the training data of each embodiment, in the order of `policy.specs`.
        step: Training steps done.
        weights: Tensors by name to save instead of the policy's own.
        write_more: Writes further files into the folder that it is given.

    Returns:
        The checkpoint's folder.

    Raises:
        DatasetError: The folder cannot be written.
        CheckpointError: The tensors cannot be written.
    """
    path = checkpoint_path(directory, step)
    with replacing_folder(path) as temporary:
        for index, (spec, own) in enumerate(zip(policy.specs, statistics, strict=True)):
            folder = embodiment_folder(temporary, index)
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / ENV_SPEC, to_json(spec))
            write_json(folder / STATISTICS, to_json(own))
        write_tensors(temporary / MODEL, {**policy.state_dict(), **(weights or {})})
        for name, text in policy.text_files().items():
            _write_text(temporary / name, text)
        if write_more:
            write_more(temporary)
        description = {
            "format_version": policy.format_version,
            "policy": policy.name,
            "step": step,
            "config": to_json(config),
        }
        write_json(temporary / CONFIG, {**description, "versions": versions(TRAINING_PACKAGES)})
    point_last_to(directory, step)
    return path


def load(path: str | Path) -> Policy:
    """The policy of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: A run folder (its last checkpoint is loaded), checkpoints/last, or checkpoints/STEP.

    Raises:
        UsageError: No checkpoint there, or of an unknown policy.
        CheckpointError: Damaged, or written by another version.
    """
    folder = find_checkpoint(Path(path))
    cls, values = read_description(folder)
    try:
        config = from_json(cls.config_type, values, complete=True)
    except (ValueError, UsageError) as error:
        problem = f"{folder / CONFIG} does not fit this version of ambidex: {error}".rstrip(".") + "."
        raise CheckpointError(problem, OTHER_VERSION, path=folder / CONFIG) from error
    statistics = [_read_as(Statistics, own / STATISTICS) for own in embodiment_folders(folder)]
    embodiments = list(zip(read_specs(folder), statistics, strict=True))
    stored = read_tensors(folder / MODEL)
    with torch.device("meta"), _at_most(len(stored), folder):  # no memory, whatever sizes the config has
        _check_weights(_construct(cls, config, embodiments), folder / MODEL, stored)
    policy = _construct(cls, config, embodiments)
    policy.load_state_dict(stored)
    load_text_files(policy, folder)
    return policy.eval()


def _construct(
    cls: type[Policy], config: "DataclassInstance", embodiments: Sequence[tuple[EnvSpec, Statistics]]
) -> Policy:
    first, *further = embodiments
    policy = cls(config, *first)
    for spec, statistics in further:
        policy.add_embodiment(spec, statistics)
    return policy


@contextmanager
def _at_most(tensors: int, folder: Path) -> Iterator[None]:
    """Raise a CheckpointError if a policy cannot be constructed, or has far more parameters than a file has tensors."""
    left = iter(range(2 * tensors + SPARE))  # a module may replace a parameter after it has made one

    def count(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        if next(left, None) is None:
            raise ValueError(f"it describes more than the {tensors} tensors of {MODEL}")

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    except AmbidexError:
        raise
    except Exception as error:  # torch does not document what impossible sizes raise
        problem = f"{folder / CONFIG} describes no policy that can be built: {error}".rstrip(".") + "."
        raise CheckpointError(problem, RESTORE, path=folder / CONFIG) from error
    finally:
        handle.remove()


def load_text_files(policy: Policy, folder: Path) -> None:
    """Load the text files of a checkpoint's folder into a policy.

    Raises:
        CheckpointError: One is missing or damaged.
    """
    names = tuple(policy.text_files())
    if names:
        policy.load_text_files({name: _read_text(folder / name) for name in names})


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to a new safetensors file.

    Raises:
        CheckpointError: It cannot be written.
    """
    try:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)
    except (SafetensorError, OSError) as error:
        complete = any(map(saved_steps, path.parents[2:4]))  # of the run; a training state has a folder of its own
        then = "--resume from the last complete checkpoint" if complete else "train again: there is no checkpoint yet"
        hint = f"Check space and permissions of {path.parent.parent}, then {then}."
        raise CheckpointError(f"{path.name} could not be written: {error}.", hint, path=path) from error


def read_tensors(path: Path, hint: str = RESTORE_OR_EARLIER) -> dict[str, Tensor]:
    """Inverse of `write_tensors`, on the CPU; the hint says what to do if the file is damaged.

    Raises:
        CheckpointError: Missing or damaged.
    """
    try:
        check_regular_file(path)
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error, hint) from error


def tensor_mismatches(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """One line for each tensor of the model that is missing or of another shape or type in a file, or unknown to it."""
    return [
        *(f"{name} is missing" for name in expected if name not in found),
        *(f"{name} is unknown" for name in found if name not in expected),
        *(
            f"size mismatch of {name}: {tuple(found[name].shape)} in the file, expected {tuple(value.shape)}"
            for name, value in expected.items()
            if name in found and found[name].shape != value.shape
        ),
        *(
            f"{name} is of {found[name].dtype}, expected {value.dtype}"
            for name, value in expected.items()
            if name in found and found[name].dtype != value.dtype
        ),
    ]


def read_description(folder: Path) -> tuple[type[Policy], object]:
    """The class of a checkpoint's policy, and its settings as JSON.

    Raises:
        UnknownNameError: No such policy.
        CheckpointError: Damaged, or its weights are of another version of the policy.
    """
    path = folder / CONFIG
    values = _read_as(dict, path)
    version, name = values.get("format_version"), values.get("policy")
    cls = policy_class(name) if isinstance(name, str) else Policy
    if version != cls.format_version or cls is Policy:
        expected = "the name of a policy" if cls is Policy else cls.format_version
        problem = f"{path}: got policy {name!r} of format_version {version!r}, expected {expected}."
        raise CheckpointError(problem, OTHER_VERSION, path=path, got=version, expected=cls.format_version)
    return cls, values.get("config")


def read_specs(folder: Path) -> list[EnvSpec]:
    """The spec of each embodiment of a checkpoint.

    Raises:
        CheckpointError: Damaged.
    """
    return [_read_spec(own) for own in embodiment_folders(folder)]


def _read_as(cls: type[Value], path: Path) -> Value:
    try:
        return from_json(cls, parse(_read_text(path)))
    except ValueError as error:
        raise _unreadable(path, error) from error


def _read_spec(folder: Path) -> EnvSpec:
    spec = _read_as(EnvSpec, folder / ENV_SPEC)
    try:
        check_spec(spec)
    except ValueError as error:
        raise _unreadable(folder / ENV_SPEC, error) from error
    return spec


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "Free some space, or give another --output-dir."
        raise CheckpointError(f"{path} cannot be written: {error}.", hint, path=path) from error


def _read_text(path: Path) -> str:
    try:
        return read_bytes(path).decode()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception, hint: str = RESTORE) -> CheckpointError:
    return CheckpointError(f"{path} cannot be read: {error}.", hint, path=path)


def _check_weights(policy: Policy, path: Path, stored: Mapping[str, Tensor]) -> None:
    _check_embodiments(policy, path.parent, stored)
    mismatches = tensor_mismatches(policy.state_dict(), stored)
    if mismatches:
        problem = f"{path} does not fit its own {CONFIG}, {len(mismatches)} tensors differ: {first_few(mismatches)}."
        raise CheckpointError(problem, RESTORE, path=path, got=mismatches)
    bad = [name for name, tensor in stored.items() if not torch.isfinite(tensor).all()]
    if bad:
        problem = f"{path} has numbers that are not finite in {len(bad)} tensors: {first_few(bad)}."
        raise CheckpointError(problem, RESTORE_OR_EARLIER, path=path, got=bad)


def _check_embodiments(policy: Policy, checkpoint: Path, tensor_names: Collection[str]) -> None:
    known = [embodiment_of(spec) for spec in policy.specs]
    stored = policy.embodiments_in(tensor_names)
    if set(stored) <= set(known):
        return
    folder = embodiment_folder(checkpoint, len(known))
    missing = folder if folder.parent.is_dir() else folder.parent
    problem = (
        f"The folder {missing.relative_to(checkpoint)}/ of the checkpoint {checkpoint} is missing: {MODEL} has weights "
        f"for {', '.join(stored)}, but {ENV_SPEC} and {STATISTICS} exist only for {', '.join(known)}."
    )
    raise CheckpointError(problem, RESTORE, path=missing, got=known, expected=stored)
