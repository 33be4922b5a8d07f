"""The flags of the GPU study."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.study.study_variant import VARIANTS
from ambidex.command_line import OptionalInt, OptionalPath, Switch


@dataclass(frozen=True, kw_only=True)
class GpuStudyConfig:
    """Train and benchmark ACT at its published size, and time training, on the machine at hand.

    Runs the project's own commands one after the other, prints one table and writes report.json and report.md. Give the
    same command again to go on where it stopped, however it stopped.
    """

    output_dir: Path = Path("results/gpu_study")
    """Folder for everything: data, runs, results, logs and the report."""
    minutes: OptionalInt = None
    """Stop after this time and keep what is done [min]; auto is no limit. For machines that are lent for a while."""
    tasks: tuple[str, ...] = ("transfer_cube", "insertion")
    """Tasks."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """How to train: published has the original's settings; fast has smaller pictures, larger batches, higher rates."""
    seeds: int = 3
    """Trainings of each variant and task, with seeds from 0."""
    episodes: int = 50
    """Recorded episodes per task."""
    rollouts: int = 50
    """Benchmark episodes per training."""
    backbone_weights: OptionalPath = None
    """ImageNet weights for the published variant, .pth or .safetensors; auto looks into torch's cache. Without any it
    starts from scratch, with group norm."""
    device: str = "auto"
    """Where to train and to compute actions; auto is cuda if there is one."""
    smoke: Switch = False
    """Tiny settings that show that everything runs, also without a GPU: one task, one seed, nothing
    compiled. The figures then mean nothing."""
    quiet: Switch = False
    """Print nothing but the table and errors."""
    debug: Switch = False
    """Show tracebacks."""
