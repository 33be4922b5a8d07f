"""The perturbations of images that a rendering has, and the attempts of the new dataset: one for each look."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ambidex.envs.env import Environment
from ambidex.envs.perturbations.registry import AXES, EVENT, IMAGES_ONLY, OBSTACLES, axes_with_levels, only, without
from ambidex.envs.types import FIRST_BENCHMARK_SEED, Drawn
from ambidex.errors import UsageError
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.rendering.config import RenderConfig


def check_looks(config: RenderConfig, source: Dataset) -> None:
    """Check --perturb and --looks before anything is rendered.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A level other than 0 to 5, an axis that changes more than images, or a number of looks that is out
            of range, has no axes, or would be looks of looks.
    """
    axes = axes_with_levels(config.perturb or ())
    if others := without(axes, IMAGES_ONLY):
        problem = f"--perturb {' '.join(others)}: this changes more than images, and the states are given."
        hint = f"Render with axes of {', '.join(axis for axis in AXES if axis in IMAGES_ONLY)}, or record again."
        raise UsageError(problem, hint, got=others, expected=IMAGES_ONLY)
    if config.perturb is not None and only(source.spec.perturb, {EVENT}):
        problem = f"--perturb: {source.directory} was recorded with {EVENT}, which can change images and states alike."
        raise UsageError(problem, "Leave it out, to render the images as they were.", path=source.directory)
    limit = FIRST_BENCHMARK_SEED // max(1, len(source))
    if not 1 <= config.looks <= limit:
        raise UsageError(f"--looks {config.looks}: expected 1 to {limit}.", got=config.looks, expected=limit)
    if config.looks > 1 and not axes:
        problem = f"--looks {config.looks}: without axes all looks of an episode would be equal."
        raise UsageError(problem, "Add --perturb, for example camera:3.", got=config.looks)
    if config.looks > 1 and any(attempt.look for attempt in source.attempts):
        problem = f"--looks {config.looks}: {source.directory} has several looks of each episode already."
        raise UsageError(problem, "Render the dataset that it was rendered from.", path=source.directory)


def rendered_axes(chosen: Sequence[str] | None, recorded: Sequence[str]) -> tuple[str, ...]:
    """Axes of a rendered episode, given those that were chosen, None for none, and those that it was recorded with.

    What changes states stays, as they are given.
    """
    return tuple(recorded) if chosen is None else axes_with_levels((*without(recorded, IMAGES_ONLY), *chosen))


def image_axes(axes: Sequence[str]) -> tuple[str, ...]:
    """Those of some axes that are seen in given states, which are all that an environment needs to render them."""
    return only(axes, IMAGES_ONLY | OBSTACLES | {EVENT})


def rendered_attempts(config: RenderConfig, attempts: Sequence[Attempt], env: Environment) -> Iterator[Attempt]:
    """The attempts of the new dataset: for each of the source as many as there are looks, with their draws.

    Look L of episode I is episode I * looks + L. The environment has the axes of the images.
    """
    for attempt in attempts:
        for number in range(config.looks):
            look = number if config.looks > 1 else attempt.look
            episode = None if attempt.episode is None else attempt.episode * config.looks + number
            perturbed = attempt.perturbed if config.perturb is None else _drawn(attempt, env, look)
            yield replace(attempt, episode=episode, look=look, perturbed=perturbed)


def _drawn(attempt: Attempt, env: Environment, look: int) -> Mapping[str, Drawn]:
    """What was drawn for states stays, and images have the draws of this look."""
    env.perturb(attempt.seed, look)
    kept = {axis: drawn for axis, drawn in attempt.perturbed.items() if axis not in IMAGES_ONLY}
    merged = {**kept, **env.perturbed}
    return {axis: merged[axis] for axis in AXES if axis in merged}
