"""What `render-episodes` is to do, checked before anything is made."""

from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.env import Environment
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.environment import own_definition, world_of
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.dataset.layout import FAILURES, Layout
from ambidex.recorders.formats.libero.format import PARTS
from ambidex.recorders.formats.libero.layout import within_file
from ambidex.recorders.formats.registry import format_named, read_episode
from ambidex.recorders.recording.checks import check_names
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.worker import RenderJob


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    """What is to be done.

    Attributes:
        config: With every default filled in.
        source: The dataset to read.
        target: The folder to write.
        spec: The spec of the new episodes.
        layout: How they will lie.
        jobs: One per episode.
        definition: Text of the user's definition; empty for a task that comes with ambidex.
        note: What is to be said before; empty for nothing.
    """

    config: RenderConfig
    source: Dataset
    target: Path
    spec: EnvSpec
    layout: Layout
    jobs: tuple[RenderJob, ...]
    definition: str
    note: str

    @property
    def pixels(self) -> bool:
        """Anything will be rendered."""
        return bool(self.spec.cameras) or self.config.video != "none"


def plan_rendering(config: RenderConfig) -> RenderPlan:
    """Fill in what was left to the dataset, and check what can be checked.

    Raises:
        UsageError: A name is unknown, a number out of range, or the folder to write is the one to read.
        DatasetError: The dataset is damaged or empty.
        RenderingError: Pixels are asked for, and no OpenGL library can be loaded.
    """
    source = _source(config.path)
    spec = _new_spec(config, source.spec)
    full = _resolved(config, spec, source.info)
    world = world_of(spec, source.directory)  # says what is wrong with a name or a size
    folder = config.path.resolve()
    target = config.output_dir or folder.with_name(f"{folder.name}-rendered")
    if target.resolve() == folder:
        raise UsageError(f"--output-dir is the dataset to read, {config.path}, which stays as it is. Give another one.")
    layout = full.layout
    format_named(layout.format).check(spec, layout)
    jobs = _jobs(source, target, layout, full.video)
    plan = RenderPlan(
        config=full,
        source=source,
        target=target,
        spec=spec,
        layout=layout,
        jobs=jobs,
        definition=own_definition(world),
        note=_note(jobs[0].source, world),
    )
    if plan.pixels:
        choose_backend()
    return plan


def _source(path: Path) -> Dataset:
    file = path.parent if within_file(path) else path
    if file.is_file():
        folder = file.parent.parent if file.parent.name in (FAILURES, PARTS) else file.parent
        raise UsageError(
            f"{path} is no dataset folder, but lies in {folder}. Give that: all episodes of a dataset are rendered."
        )
    return Dataset(path)


def _new_spec(config: RenderConfig, spec: EnvSpec) -> EnvSpec:
    return replace(
        spec,
        cameras=spec.cameras if config.cameras is None else config.cameras,
        image_size=config.image_size or spec.image_size,
        render_quality=config.render_quality or spec.render_quality,
    )


def _resolved(config: RenderConfig, spec: EnvSpec, info: DatasetInfo) -> RenderConfig:
    full = replace(
        config,
        cameras=spec.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
        storage=config.storage or info.storage,
        format=config.format or info.format,
    )
    check_names(storage=str(full.storage), video=full.video, file_format=full.format)
    return full


def _jobs(source: Dataset, target: Path, layout: Layout, video: str) -> tuple[RenderJob, ...]:
    jobs = []
    old, new = DatasetFiles(source.directory, source.format), DatasetFiles(target, format_named(layout.format))
    for attempt in source.attempts:
        episode, place = old.episode(attempt), new.destination(attempt, keep_failures=True, video=video)
        if episode is not None and place is not None:
            jobs.append(RenderJob(source=episode, destination=place, attempt=attempt))
    if not jobs:
        raise DatasetError(f"{source.directory} holds no episode yet. Record some first.")
    return tuple(jobs)


def _note(first: Path, world: Environment) -> str:
    if read_episode(first).model_sha256 == world.scene.model_sha256:
        return ""
    return (
        "The model has changed since this dataset was recorded: robot, objects or scene may look or stand otherwise "
        "than they did. The states are rendered as they are."
    )
