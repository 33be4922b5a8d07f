"""Time that a benchmark of ACT takes: `python -m ambidex.benchmarks.speed.rollout_speed`.

The policy is untrained, so every episode has its full length. Start-up, loading and rendering are included; videos are
not.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.info import describe_hardware
from ambidex.command_line import run
from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.errors import AmbidexError
from ambidex.policies.act.config import preset
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.checkpoint import save
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.scripted_policies.registry import make_expert


@dataclass(frozen=True, kw_only=True)
class RolloutSpeedConfig:
    """Time a benchmark of an untrained ACT."""

    task: str = "transfer_cube"
    """The task."""
    preset: str = "base"
    """Preset of ACT."""
    observations: str = "images"
    """images (one camera, 120x160) or state."""
    episodes: int = 50
    """Episodes."""
    execution: str = "chunk"
    """How action chunks are executed."""
    workers: int | None = None
    """Worker processes; auto when absent."""
    quiet: bool = False
    """Print only the results."""
    debug: bool = False
    """Show tracebacks."""


def main(config: RolloutSpeedConfig) -> None:
    """Make a policy, benchmark it and print the timings as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_untrained(Path(folder) / "run", config)
        hardware = describe_hardware()
        settings = BenchmarkConfig(
            policy="act",
            checkpoint=checkpoint,
            task=config.task,
            episodes=config.episodes,
            execution=config.execution,
            workers=config.workers,
            video="none",
            output_dir=Path(folder) / "results",
            quiet=config.quiet,
        )
        summary = benchmark(settings)
    errors = [row.error for row in summary.rows if row.error]
    if errors:
        raise AmbidexError(f"{len(errors)} episodes raised an error, so the time means nothing. The first: {errors[0]}")
    timings = summary.timings.to_dict() | {
        "steps": sum(row.steps for row in summary.rows),
        "execution": summary.info.execution,
    }
    print(json.dumps(timings | {"hardware": hardware, "versions": dict(summary.info.versions)}, indent=2))


def write_untrained(directory: Path, config: RolloutSpeedConfig) -> Path:
    """A checkpoint of an untrained policy, with the statistics of one expert episode."""
    cameras = ("top",) if config.observations == "images" else ()
    env = make(config.task, cameras=cameras, image_size=(120, 160))
    episode = rollout(env, make_expert(env), seed=0)
    fields = {"qpos": episode.qpos, "objects": episode.objects, "actions": episode.actions}
    statistics = Statistics(**{name: FieldStatistics.of(values) for name, values in fields.items()})
    settings = replace(preset(config.preset, config.observations).config, backbone_weights="none")
    torch.manual_seed(0)
    return save(directory, ActPolicy(settings, env.spec, statistics), settings, [statistics], 0)


if __name__ == "__main__":
    run("rollout-speed", main, RolloutSpeedConfig)
