"""Training speed of ACT's network alone: `python -m ambidex.benchmarks.speed.training_speed`.

Times the model of a preset and AdamW on random numbers in memory, by default `base` at batch size 8 on one 120x160
camera. How long reading the data takes is in the log of every training.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import tyro

from ambidex.envs.types import EnvSpec
from ambidex.policies.act.config import preset
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.training.learner import LossModule, make_optimizer

JOINTS, OBJECT_VALUES = 14, 7
WARM_UP = 3  # steps or passes that are not timed
NAMES = tuple(f"joint_{i}" for i in range(JOINTS))
SPEC = EnvSpec(
    task="speed",
    family="aloha",
    robot="viperx_bimanual",
    control="joint",
    control_hz=50.0,
    horizon=400,
    spread="published",
    cameras=("top",),
    image_size=(120, 160),
    render_quality="standard",
    instruction="",
    stages=("none",),
    action_names=NAMES,
    joint_names=NAMES,
    object_names=("cube",),
)


@dataclass(frozen=True, kw_only=True)
class SpeedConfig:
    """Time training steps of ACT."""

    preset: str = "base"
    """The preset whose model is trained."""
    observations: str = "images"
    """images or state."""
    batch_size: int = 8
    """Samples per step."""
    steps: int = 30
    """Steps to time, after 3 to warm up."""
    threads: int = 2
    """Threads of torch."""
    precision: str = "bf16"
    """bf16 or fp32."""


def main() -> None:
    """Parse the flags, time the steps and print samples per second."""
    config = tyro.cli(SpeedConfig)
    torch.set_num_threads(config.threads)
    policy = make_policy(config)
    seconds = timed_steps(policy, make_batch(config.batch_size, policy.chunk_size), config)
    size = sum(parameter.numel() for parameter in policy.parameters()) / 1e6
    median, best = (config.batch_size / each for each in (statistics.median(seconds), min(seconds)))
    print(
        f"{config.preset}, {config.observations}, {size:.1f} M parameters, {config.precision}, {config.threads} threads"
    )
    print(f"median {median:.1f}, best {best:.1f} samples/s")


def make_policy(config: SpeedConfig) -> ActPolicy:
    """ACT with random weights for one camera and the joints of the ALOHA workcell."""
    joints = unit_statistics(JOINTS)
    normalization = Statistics(qpos=joints, objects=unit_statistics(OBJECT_VALUES), actions=joints)
    return ActPolicy(preset(config.preset, config.observations).config, SPEC, normalization).train()


def unit_statistics(width: int) -> FieldStatistics:
    """Statistics of a field of `width` numbers that are all one."""
    return FieldStatistics(**dict.fromkeys(FieldStatistics.__dataclass_fields__, (1.0,) * width))


def make_batch(size: int, chunk: int) -> TrainingBatch:
    """Random samples, of which the last fifth of each chunk is padding."""
    observation = make_observation(size, torch.device("cpu"))
    is_pad = torch.arange(chunk).expand(size, chunk) >= chunk * 4 // 5
    return TrainingBatch(observation=observation, actions=torch.randn(size, chunk, JOINTS), is_pad=is_pad)


def make_observation(size: int, device: torch.device, instruction: str = "") -> ObservationBatch:
    """Random observations of `SPEC`."""
    image = torch.randint(256, (size, 3, *SPEC.image_size), dtype=torch.uint8, device=device)
    return ObservationBatch(
        qpos=torch.randn(size, JOINTS, device=device),
        objects=torch.randn(size, OBJECT_VALUES, device=device),
        images={"top": image.to(memory_format=torch.channels_last)},
        instructions=(instruction,) * size,
    )


def timed_steps(policy: ActPolicy, batch: TrainingBatch, config: SpeedConfig) -> list[float]:
    """Seconds of each step: forward, backward, update."""
    losses = LossModule(policy, config.precision)
    optimizer = make_optimizer(policy, learning_rate=1e-4, backbone_learning_rate=1e-5, weight_decay=1e-4)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        losses(batch)["loss"].backward()
        optimizer.step()

    return seconds_each(step, config.steps)


def seconds_each(work: Callable[[], None], count: int) -> list[float]:
    """Seconds of each of `count` calls, after some to warm up."""
    seconds = []
    for _ in range(WARM_UP + count):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds[WARM_UP:]


if __name__ == "__main__":
    main()
