"""Plans what `render-episodes` and `convert-dataset` do, and checks it before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.perturbations.registry import axes_with_levels
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.dataset import Dataset, is_foreign
from ambidex.recorders.dataset.environment import stored_environment, user_definition
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import dataset_folder
from ambidex.recorders.formats.libero.layout import is_demo_path
from ambidex.recorders.formats.registry import FORMATS, format_named, open_episode
from ambidex.recorders.recording.checks import check_names
from ambidex.recorders.rendering.config import ConvertConfig, RenderConfig
from ambidex.recorders.rendering.looks import check_looks, image_axes, rendered_attempts, rendered_axes
from ambidex.recorders.rendering.worker import RenderJob, rendered_spec

STATELESS = "lerobot"  # the format that holds episodes without simulation states
MODEL_CHANGED = (
    "The model has changed since this dataset was recorded: robot, objects or scene may look different or be "
    "elsewhere. The states are rendered as they are."
)


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    """What to render or convert.

    Attributes:
        config: The flags, with every default filled in.
        flags: The same as flags of the command that was typed.
        source: The dataset to read.
        target: The folder to write.
        spec: The spec of the new episodes.
        files: Where the new files are stored.
        attempts: Those of the new dataset.
        jobs: One per episode.
        simulated: The episodes have simulation states.
        definition: Text of the user's definition; empty for a task that comes with ambidex.
        warning: To be printed before rendering; may be empty.
    """

    config: RenderConfig
    flags: RenderConfig | ConvertConfig
    source: Dataset
    target: Path
    spec: EnvSpec
    files: DatasetFiles
    attempts: tuple[Attempt, ...]
    jobs: tuple[RenderJob, ...]
    simulated: bool
    definition: str
    warning: str


def plan_rendering(flags: RenderConfig | ConvertConfig) -> RenderPlan:
    """Fill in the defaults from the dataset, and check what can be checked.

    Raises:
        UsageError: A name is unknown, a number out of range, or the folder to write is the one to read.
        DatasetError: The dataset is damaged or empty.
        RenderingError: Images are asked for, and no OpenGL library can be loaded.
    """
    converts = isinstance(flags, ConvertConfig)
    config = flags.rendering if isinstance(flags, ConvertConfig) else flags
    if converts and flags.format is None:
        raise UsageError("--format is missing.", f"Give one of {', '.join(FORMATS)}.", field="format")
    source = _open_source(config.path)
    check_looks(config, source)
    full = _resolved(config, source)
    spec = rendered_spec(source.spec, full)
    spec = replace(spec, perturb=rendered_axes(full.perturb, spec.perturb))
    simulated = _has_states(source, only_states=not converts or full.format != STATELESS)
    model_sha256, definition, attempts = _simulated(full, spec, source) if simulated else ("", "", source.attempts)
    target = _target(config, str(full.format) if converts else "rendered")
    file_format = format_named(full.write_options.format)
    file_format.check(spec, full.write_options)
    files = DatasetFiles(target, file_format, video=full.video)
    jobs = _jobs(source, files, attempts)
    with open_episode(jobs[0].source) as first:
        changed = first.model_sha256 != model_sha256
    if full.renders and not converts:
        choose_backend()
    return RenderPlan(
        config=full,
        flags=replace(flags, storage=full.storage) if converts else full,
        source=source,
        target=target,
        spec=spec,
        files=files,
        attempts=attempts,
        jobs=jobs,
        simulated=simulated,
        definition=definition,
        warning=MODEL_CHANGED if changed and not converts else "",
    )


def _open_source(path: Path) -> Dataset:
    file = path.parent if is_demo_path(path) else path
    if file.is_file() and not is_foreign(path):
        folder = dataset_folder(file) or file.parent
        problem = f"{path} is not a dataset folder, but a file in {folder}."
        raise UsageError(problem, "Give the folder: all its episodes are rendered.", path=path, expected=folder)
    return Dataset(path)


def _has_states(source: Dataset, *, only_states: bool) -> bool:
    """Whether episodes have simulation states; raises if only those are wanted and they have none."""
    if not len(source):
        return True
    with source[0] as first:
        if only_states:
            first.check_has_states()
        return bool(first.state_size)


def _simulated(config: RenderConfig, spec: EnvSpec, source: Dataset) -> tuple[str, str, tuple[Attempt, ...]]:
    """SHA-256 of the model that the episodes have now, text of the user's definition, and the new attempts."""
    with stored_environment(replace(spec, perturb=image_axes(spec.perturb)), source.directory) as env:
        if config.perturb is not None:
            env.check_perturbations_are_seen(env.spec.cameras, instruction=True, of="dataset")
        attempts = tuple(rendered_attempts(config, source.attempts, env))
        return env.scene.model_sha256, user_definition(env), attempts


def _resolved(config: RenderConfig, source: Dataset) -> RenderConfig:
    info, spec = source.info, source.spec
    file_format = config.format or info.format
    check_names(video=config.video, file_format=file_format)
    same = file_format == info.format and not is_foreign(source.directory)
    storage = info.storage if same else format_named(file_format).default_storage
    return replace(
        config,
        cameras=spec.cameras if config.cameras is None else config.cameras,
        image_size=config.image_size or spec.image_size,
        render_quality=config.render_quality or spec.render_quality,
        perturb=None if config.perturb is None else axes_with_levels(config.perturb),
        storage=config.storage or storage,
        format=file_format,
    )


def _target(config: RenderConfig, suffix: str) -> Path:
    folder = config.path.resolve()
    target = config.output_dir or folder.with_name(f"{folder.stem if folder.is_file() else folder.name}-{suffix}")
    if target.resolve() == folder:
        problem = f"--output-dir is {config.path}, the dataset to read, which is not changed."
        raise UsageError(problem, "Give another folder.", path=target)
    return target


def _jobs(source: Dataset, target: DatasetFiles, attempts: Sequence[Attempt]) -> tuple[RenderJob, ...]:
    jobs = []
    stored = DatasetFiles(source.directory, source.format)
    looks = len(attempts) // max(1, len(source.attempts))
    for index, attempt in enumerate(attempts):
        recorded = source.attempts[index // looks]
        episode, files = stored.episode(recorded), target.planned(attempt)
        if episode is not None and files is not None:
            number = recorded.episode if looks > 1 else None
            jobs.append(RenderJob(source=episode, files=files, attempt=attempt, source_episode=number))
    if not jobs:
        raise DatasetError(f"{source.directory} has no episodes yet.", "Record some first.", path=source.directory)
    return tuple(jobs)
