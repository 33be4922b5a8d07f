"""Frames per second, per quality and image size, in one process and in several."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle

import numpy as np

from ambidex.benchmarks.throughput_processes import side_by_side, wait_for_siblings
from ambidex.benchmarks.throughput_simulation import TASK
from ambidex.benchmarks.throughput_timing import Effort, Figure, rate
from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.renderer import QUALITIES
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.registry import make_expert

QUALITY_NAMES = tuple(QUALITIES)


def rendering_figures(effort: Effort, processes: int) -> Iterator[Figure]:
    """Every frame shows another moment of an expert's episode; the family's cameras take turns."""
    env = make(TASK, cameras=())
    states = rollout(env, make_expert(env), 0).states
    for count in sorted({1, processes}):
        with side_by_side(count) as executor:
            for size in effort.image_sizes:
                for quality in QUALITY_NAMES:
                    yield _figure(executor, count, size, quality, states, effort)


def _figure(
    executor: ProcessPoolExecutor, count: int, size: tuple[int, int], quality: str, states: FloatArray, effort: Effort
) -> Figure:
    job = partial(frame_rates, states, size, quality, effort)
    each = [future.result() for future in [executor.submit(job) for _ in range(count)]]
    height, width = size
    name = f"{quality}_{height}x{width}"
    processes = "1 process" if count == 1 else f"{count} processes"
    base = name if count > 1 else f"{QUALITY_NAMES[0]}_{height}x{width}" if quality != QUALITY_NAMES[0] else ""
    return Figure(
        section="rendering",
        name=name if count == 1 else f"{name}_{count}_processes",
        label=f"{quality}, {height} x {width}, {processes}",
        unit="frames/s",
        samples=tuple(float(total) for total in np.sum(each, axis=0)),
        relative_to=base,
    )


def frame_rates(states: FloatArray, size: tuple[int, int], quality: str, effort: Effort) -> tuple[float, ...]:
    """Frames per second of this process, at the same time as its siblings'; one value per repetition."""
    env = make(TASK, image_size=size, render_quality=quality)
    shots = zip(cycle(states), cycle(env.spec.cameras), strict=False)

    def render() -> int:
        env.render(*next(shots))
        return 1

    render()  # makes the OpenGL context
    samples = []
    for _ in range(effort.repeats):
        wait_for_siblings()
        samples.append(rate(render, effort.seconds))
    env.close()
    return tuple(samples)
