"""How many samples a second ACT trains on, and where the time goes: the trainer itself on a made-up dataset."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ambidex.benchmarks.speed.timing import Effort, Figure
from ambidex.envs.types import EnvSpec, Episode, Float32Array, ImageArray, Outcome
from ambidex.output_folder import versions
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults
from ambidex.policies.training.logging import PARTS
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.act import episode_path, write_episode

JOINTS, OBJECTS = 14, 2
EPISODES, STEPS = 2, 400
WINDOW = 10  # training steps per repetition
SPEC = EnvSpec(
    task="made_up",
    family="aloha",
    robot="viperx_bimanual",
    control="joint",
    control_hz=50.0,
    horizon=STEPS,
    spread="published",
    cameras=("top",),
    image_size=(120, 160),
    render_quality="standard",
    instruction="",
    stages=("none",),
    action_names=tuple(f"joint_{i}" for i in range(JOINTS)),
    joint_names=tuple(f"joint_{i}" for i in range(JOINTS)),
    object_names=tuple(f"object_{i}" for i in range(OBJECTS)),
)


@dataclass(frozen=True, kw_only=True)
class _Training:
    """One training to time."""

    preset: str
    observations: str
    batch_size: int
    label: str


TRAININGS = {
    "base_images": _Training(
        preset="base", observations="images", batch_size=8, label="ACT base (d 256), one 120x160 camera, batch 8"
    ),
    "tiny_state": _Training(
        preset="tiny", observations="state", batch_size=32, label="ACT tiny, object poses, batch 32"
    ),
}


def training_figures(effort: Effort) -> Iterator[Figure]:
    """Samples per second of each training, and the share of each part of a step."""
    with tempfile.TemporaryDirectory(prefix="ambidex-throughput-") as folder:
        data = Path(folder) / "made_up"
        _write_dataset(data)
        for name, training in TRAININGS.items():
            curves = _curves(training, data, Path(folder) / name, effort)
            yield from _figures(name, training.label, curves)


def _curves(training: _Training, data: Path, run: Path, effort: Effort) -> dict[str, tuple[float, ...]]:
    """What the training logged about its speed, without the first repetition, which warms up."""
    config = defaults("act", training.preset, training.observations)
    window = WINDOW if effort.seconds >= 1.0 else 1
    steps = window * (effort.repeats + 1)
    train(
        replace(
            config,
            data=(data,),
            output_dir=run,
            steps=steps,
            log_every=window,
            save_every=steps + 1,
            batch_size=training.batch_size if effort.seconds >= 1.0 else 2,
            validation_fraction=0.0,
            model=replace(config.model, backbone_weights="none"),  # they do not matter for speed
            quiet=True,
        )
    )
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    tags = ("samples_per_s", *(f"{part}_ms_per_sample" for part in PARTS))
    return {tag: tuple(event.value for event in events.Scalars(f"speed/{tag}")[1:]) for tag in tags}


def _figures(name: str, label: str, curves: dict[str, tuple[float, ...]]) -> Iterator[Figure]:
    yield Figure(
        section="training",
        name=f"{name}_samples",
        label=f"training {label}",
        unit="samples/s",
        samples=curves["samples_per_s"],
    )
    totals = [sum(times) for times in zip(*(curves[f"{part}_ms_per_sample"] for part in PARTS), strict=True)]
    for part in PARTS:
        yield Figure(
            section="training",
            name=f"{name}_{part}",
            label=f"share of {part.replace('_', ' and ')}, {label}",
            unit="%",
            samples=tuple(
                100 * time / total for time, total in zip(curves[f"{part}_ms_per_sample"], totals, strict=True)
            ),
        )


def _write_dataset(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(EPISODES):
        episode = _episode(rng, index)
        frames = {"top": (_frame(rng) for _ in range(STEPS))}
        write_episode(episode_path(folder, index), episode, frames, "lossless")
    DatasetInfo(
        env_spec=SPEC,
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


def _episode(rng: np.random.Generator, index: int) -> Episode:
    def numbers(width: int) -> Float32Array:
        return rng.standard_normal((STEPS, width)).astype(np.float32)

    return Episode(
        spec=SPEC,
        seed=index,
        outcome=Outcome.SUCCESS,
        stage=0,
        qpos=numbers(JOINTS),
        qvel=numbers(JOINTS),
        objects=numbers(7 * OBJECTS),
        joint_actions=numbers(JOINTS),
        ee_actions=numbers(16),
        states=rng.standard_normal((STEPS + 1, 60)),
        stages=np.zeros(STEPS + 1, np.int8),
        model_sha256="",
        versions=versions(),
    )


def _frame(rng: np.random.Generator) -> ImageArray:
    """Blocks of colour, which compress about as well as rendered pictures."""
    blocks = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((10, 10, 1), np.uint8))
