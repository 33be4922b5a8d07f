"""Flags and training variants of the GPU study."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ambidex.flags import OptionalInt, OptionalPath, Switch


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to train ACT.

    Attributes:
        name: Its name.
        image_size: Height and width of its images [px].
        training: Flags of train-policy, without data, seed and output folder.
        imagenet: Whether the image encoder starts from published weights if they are available.
    """

    name: str
    image_size: tuple[int, int]
    training: Mapping[str, str]
    imagenet: bool


PUBLISHED = Variant(name="published", image_size=(480, 640), training={"preset": "paper"}, imagenet=True)
"""The original settings: 10,000 steps of 8 samples at 1e-5 (Zhao et al. 2023)."""

FAST = Variant(
    name="fast",
    image_size=(240, 320),
    training={
        "preset": "paper",
        "steps": "6000",
        "batch-size": "64",
        "learning-rate": "1e-4",
        "backbone-learning-rate": "1e-4",
        "warmup-steps": "300",
        "schedule": "cosine",
        "gradient-clip": "10",
        "ema-decay": "0.999",
        "backbone-norm": "group",
        "backbone-weights": "none",
    },
    imagenet=False,
)
"""The same network, trained from scratch on images of half the size: 384,000 samples in 6,000 steps."""

SMOKE = Variant(
    name="smoke",
    image_size=(48, 64),
    training={"preset": "tiny", "steps": "6", "batch-size": "2", "chunk-size": "20", "execute-steps": "20"},
    imagenet=False,
)
"""Checks that everything runs; it is far too small to train a policy."""

VARIANTS: Mapping[str, Variant] = {variant.name: variant for variant in (FAST, PUBLISHED)}


@dataclass(frozen=True, kw_only=True)
class ModelCell:
    """A vision-language model whose training steps are timed, with random weights, in bf16.

    Attributes:
        preset: Preset of RoboVLMs.
        attention: Its attention implementation.
        batch_size: Samples per step, each with a window of observations.
    """

    preset: str
    attention: str
    batch_size: int

    @property
    def name(self) -> str:
        return f"{self.preset}-{self.attention}-{self.batch_size}"


ATTENTIONS = ("sdpa", "flash_attention_2")
MODELS = ("smolvlm_500m", "paligemma_3b")
MODEL_CELLS = tuple(
    ModelCell(preset=preset, attention=attention, batch_size=size)
    for preset, size, attention in product(MODELS, (1, 8), ATTENTIONS)
)
SMOKE_CELLS = tuple(ModelCell(preset="tiny", attention=attention, batch_size=1) for attention in ATTENTIONS)


@dataclass(frozen=True, kw_only=True)
class GpuStudyConfig:
    """Train and benchmark ACT at its published size, and time training, also of large models, on this machine.

    Runs the project's own commands one after the other, prints one table and writes report.json and report.md. Run the
    same command again to resume, however it stopped.
    """

    output_dir: Path = Path("results/gpu_study")
    """Folder for everything: data, runs, results, logs and the report."""
    minutes: OptionalInt = None
    """Stop after this time and keep what is done [min]; auto is no limit. For machines that are available for a short
    time."""
    tasks: tuple[str, ...] = ("transfer_cube", "insertion")
    """Tasks."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """How to train: published has the original settings; fast has smaller images, larger batches, higher rates."""
    seeds: int = 3
    """Trainings of each variant and task, with seeds from 0."""
    episodes: int = 50
    """Recorded episodes per task."""
    rollouts: int = 50
    """Benchmark episodes per training."""
    backbone_weights: OptionalPath = None
    """ImageNet weights for the published variant, .pth or .safetensors; auto looks into torch's cache. Without weights
    it trains from scratch, with group norm."""
    device: str = "auto"
    """Where to train and to compute actions; auto is cuda if there is one."""
    smoke: Switch = False
    """Tiny settings that check that everything runs, with or without a GPU: one task, one seed, nothing
    compiled. The numbers then mean nothing."""
    quiet: Switch = False
    """Print only the table and errors."""
    debug: Switch = False
    """Show tracebacks."""
