"""Speed of UniAct's forward pass: `python -m ambidex.benchmarks.speed.forward_speed`.

Random weights in the sizes of a preset and random images take as long as real ones. The shape of LLaVA-OneVision 0.5B
needs the extra `uniact` and no downloads. Its 0.9 billion weights take 3.6 GB: bf16 is autocast over float32 weights.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch

from ambidex.benchmarks.speed.training_speed import (
    INSTRUCTION,
    JOINTS,
    SPEC,
    make_observation,
    seconds_each,
    unit_statistics,
)
from ambidex.command_line import run
from ambidex.errors import UsageError
from ambidex.flags import Switch
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.normalization import Statistics
from ambidex.policies.training.distributed import choose_device
from ambidex.policies.uniact.config import AttentionKind, preset
from ambidex.policies.uniact.policy import UniActPolicy
from ambidex.policies.vision_language.attention import choose_attention


@dataclass(frozen=True, kw_only=True)
class ForwardSpeedConfig:
    """Time forward passes of UniAct."""

    preset: str = "llava_ov_0.5b"
    """The preset whose sizes are used."""
    attention: tuple[AttentionKind, ...] = ("sdpa", "flash_attention_2")
    """Attention implementations of LLaVA-OneVision to compare, one model after the other. One that is not available
    here is reported as not measured. The extractor "scratch" has sdpa only."""
    batch_sizes: tuple[int, ...] = (1, 64)
    """Observations per forward pass."""
    passes: int = 20
    """Forward passes to time, after 3 to warm up."""
    device: str = "auto"
    """Where to compute."""
    precision: Literal["bf16", "fp32"] = "bf16"
    """Precision of the computation."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: ForwardSpeedConfig) -> None:
    """Print a table with a row for each attention implementation and batch size."""
    if config.passes < 1 or min(config.batch_sizes, default=0) < 1:
        raise UsageError(
            f"--passes {config.passes}, --batch-sizes {' '.join(map(str, config.batch_sizes)) or '(none)'}: expected 1 "
            "or more, and batch sizes of 1 or more.",
            passes=config.passes,
            batch_sizes=config.batch_sizes,
        )
    from_scratch = preset(config.preset).config.extractor == "scratch"
    device = choose_device(config.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{config.preset}, {config.precision}, {name}, torch {torch.__version__}")
    print("| attention | batch | median [ms] | lowest to highest [ms] | observations/s |\n|---|---|---|---|---|")
    for attention in ("sdpa",) if from_scratch else config.attention:
        for row in measured(attention, device, config):
            print(row, flush=True)


def measured(attention: AttentionKind, device: torch.device, config: ForwardSpeedConfig) -> Iterator[str]:
    """The rows of one attention implementation. Its policy is freed afterwards: two may be too large for a GPU."""
    try:
        choose_attention(attention, device)
    except UsageError as error:
        yield f"| {attention} | | not measured: {error} | | |"
        return
    policy = make_policy(config.preset, attention).to(device).eval()
    for size in config.batch_sizes:
        yield _row(attention, size, timed_passes(policy, make_observation(size, device, INSTRUCTION), config))


def make_policy(name: str, attention: AttentionKind) -> UniActPolicy:
    """UniAct with random weights for one camera and the joints of the ALOHA workcell."""
    joints = unit_statistics(JOINTS)
    settings = replace(preset(name).config, extractor_weights="none", backbone_weights="none", attention=attention)
    spec = replace(SPEC, instruction=INSTRUCTION)
    return UniActPolicy(settings, spec, Statistics(qpos=joints, objects=joints, actions=joints))


def timed_passes(policy: UniActPolicy, observation: ObservationBatch, config: ForwardSpeedConfig) -> list[float]:
    """Seconds of each pass, from images and text on the device to actions."""
    device = observation.qpos.device

    def predict() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            policy.predict(observation)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return seconds_each(predict, config.passes)


def _row(attention: str, size: int, seconds: list[float]) -> str:
    median, low, high = (1e3 * value for value in (statistics.median(seconds), min(seconds), max(seconds)))
    return f"| {attention} | {size} | {median:.1f} | {low:.1f} to {high:.1f} | {1e3 * size / median:.1f} |"


if __name__ == "__main__":
    run("forward-speed", main, ForwardSpeedConfig)
