"""Speed of training ACT, data included: the trainer itself on a small random dataset."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ambidex.benchmarks.speed.timing import FULL, Effort, Measurement
from ambidex.benchmarks.speed.training_speed import JOINTS, OBJECT_VALUES, SPEC
from ambidex.envs.types import Episode, Float32Array, ImageArray, Outcome
from ambidex.output_folder import versions
from ambidex.policies.train_policy import train_config
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.train import train
from ambidex.policies.training.training_log import STEP_PARTS
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.act import episode_path, write_episode

OBJECTS = ("object_0", "object_1")
EPISODES = 2
WINDOW = 10  # training steps per repetition
DATA_SPEC = replace(SPEC, task="made_up", horizon=FULL.steps, object_names=OBJECTS)


TRAININGS = {
    "base_images": ("base", "images", 8, "ACT base (d 256), one 120x160 camera, batch 8"),
    "tiny_state": ("tiny", "state", 32, "ACT tiny, object poses, batch 32"),
}
"""Name -> preset, observations, batch size and label."""


def measure_training(effort: Effort) -> Iterator[Measurement]:
    """Samples per second of each training, and the share of each part of a step."""
    with tempfile.TemporaryDirectory(prefix="ambidex-throughput-") as folder:
        data = Path(folder) / "made_up"
        _write_dataset(data, effort.steps)
        for name, (preset, observations, batch_size, label) in TRAININGS.items():
            config = replace(train_config("act", preset, observations), batch_size=batch_size, data=(data,))
            yield from _measurements(name, label, _curves(config, Path(folder) / name, effort))


def _curves(config: TrainConfig[Any], run: Path, effort: Effort) -> dict[str, tuple[float, ...]]:
    """What the training logged about its speed, without the first repetition, which warms up."""
    window = WINDOW if effort.seconds >= 1.0 else 1
    steps = window * (effort.repeats + 1)
    train(
        replace(
            config,
            output_dir=run,
            steps=steps,
            log_every=window,
            save_every=steps + 1,
            batch_size=config.batch_size if effort.seconds >= 1.0 else 2,
            validation_fraction=0.0,
            model=replace(config.model, backbone_weights="none"),  # they do not matter for speed
            quiet=True,
        )
    )
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    tags = ("samples_per_s", *(f"{part}_ms_per_sample" for part in STEP_PARTS))
    return {tag: tuple(event.value for event in events.Scalars(f"speed/{tag}")[1:]) for tag in tags}


def _measurements(name: str, label: str, curves: dict[str, tuple[float, ...]]) -> Iterator[Measurement]:
    yield Measurement("training", f"{name}_samples", f"training {label}", "samples/s", curves["samples_per_s"])
    times = {part: curves[f"{part}_ms_per_sample"] for part in STEP_PARTS}
    totals = [sum(parts) for parts in zip(*times.values(), strict=True)]
    for part in STEP_PARTS:
        shares = [100 * time / total for time, total in zip(times[part], totals, strict=True)]
        yield Measurement("training", f"{name}_{part}", f"share of {part.replace('_', ' and ')}, {label}", "%", shares)


def _write_dataset(folder: Path, steps: int) -> None:
    rng = np.random.default_rng(0)
    for index in range(EPISODES):
        episode = _episode(rng, index, steps)
        frames = {"top": (_frame(rng) for _ in range(steps))}
        write_episode(episode_path(folder, index), episode, frames, "lossless")
    DatasetInfo(
        env_spec=DATA_SPEC,
        command="made up by the throughput program",
        versions=versions(),
        format="act",
        storage="lossless",
        attempts=EPISODES,
        successes=EPISODES,
        failures=0,
        errors=0,
        episodes=EPISODES,
        complete=True,
        timings={},
    ).write(folder)


def _episode(rng: np.random.Generator, index: int, steps: int) -> Episode:
    def numbers(width: int) -> Float32Array:
        return rng.standard_normal((steps, width)).astype(np.float32)

    return Episode(
        spec=DATA_SPEC,
        seed=index,
        outcome=Outcome.SUCCESS,
        stage=0,
        qpos=numbers(JOINTS),
        qvel=numbers(JOINTS),
        objects=numbers(OBJECT_VALUES * len(OBJECTS)),
        joint_actions=numbers(JOINTS),
        ee_actions=numbers(16),
        states=rng.standard_normal((steps + 1, 60)),
        stages=np.zeros(steps + 1, np.int8),
        model_sha256="",
        versions=versions(),
    )


def _frame(rng: np.random.Generator) -> ImageArray:
    """Blocks of colour, which compress about as well as rendered images."""
    blocks = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((10, 10, 1), np.uint8))
