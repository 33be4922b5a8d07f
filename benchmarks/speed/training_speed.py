"""Training speed of a network alone: `python -m ambidex.benchmarks.speed.training_speed`.

Times the model of a preset and AdamW on random numbers in memory, by default ACT's `base` at batch size 8 on one
120x160 camera. Random weights in the sizes of a preset take as long as published ones. How long reading the data takes
is in the log of every training.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NoReturn

import torch

from ambidex.atomic_files import write_json
from ambidex.codec import to_json
from ambidex.command_line import run
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.flags import OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.checkpoint import policy_class
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.train_policy import train_config
from ambidex.policies.training.distributed import choose_device
from ambidex.policies.training.large_models.layers import checkpoint_layers
from ambidex.policies.training.learner import LossModule, make_optimizer
from ambidex.policies.vision_language.attention import choose_attention

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

JOINTS, OBJECT_VALUES = 14, 7
WARM_UP = 3  # steps or passes that are not timed
WITHOUT_WEIGHTS = {"backbone_weights": "none", "extractor_weights": "none"}
INSTRUCTION = "pick up the red cube with the right arm and hand it over to the left arm"
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
    """Time training steps of a policy."""

    policy: str = "act"
    """The policy."""
    preset: str = "base"
    """The preset whose model is trained."""
    observations: OptionalName = None
    """images or state; auto is the preset's."""
    attention: OptionalName = None
    """Attention of a vision-language model, such as sdpa; auto is the preset's. One that is not available here is
    reported as not measured."""
    batch_size: int = 8
    """Samples per step."""
    steps: int = 30
    """Steps to time, after 3 to warm up."""
    threads: OptionalInt = None
    """Threads of torch on a CPU; auto is torch's default."""
    device: str = "auto"
    """Where to train."""
    precision: str = "bf16"
    """bf16 or fp32."""
    gradient_checkpointing: Switch = False
    """Keep only the inputs of transformer layers for the backward pass."""
    output: OptionalPath = None
    """JSON file to write the result to as well."""
    debug: Switch = False
    """Show tracebacks."""


@dataclass(frozen=True, kw_only=True)
class SpeedResult:
    """What was measured.

    Attributes:
        parameters: Number of parameters.
        trained: Number of those that are trained.
        seconds: Duration of each step [s]; empty if it was not measured.
        peak_bytes: Most memory allocated on the GPU; None on a CPU.
        obstacle: Why it was not measured; empty if it was.
    """

    parameters: int = 0
    trained: int = 0
    seconds: tuple[float, ...] = ()
    peak_bytes: int | None = None
    obstacle: str = ""

    def __str__(self) -> str:
        if self.obstacle:
            return f"not measured: {self.obstacle}"
        memory = "" if self.peak_bytes is None else f", {self.peak_bytes / 1e9:.1f} GB at most"
        median, low = 1e3 * statistics.median(self.seconds), 1e3 * min(self.seconds)
        size, trained = self.parameters / 1e6, self.trained / 1e6
        return f"{size:.1f} M parameters, {trained:.1f} M trained; step median {median:.1f}, best {low:.1f} ms{memory}"


def main() -> NoReturn:
    """Parse the flags, time the steps, and exit."""
    run("training-speed", report, SpeedConfig)


def report(config: SpeedConfig) -> None:
    """Time the steps and print the result."""
    if config.threads:
        torch.set_num_threads(config.threads)
    device = choose_device(config.device)
    result = measure(config, device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{config.policy} {config.preset}, batch {config.batch_size}, {config.precision}, {name}")
    print(result)
    if result.seconds:
        median, best = (config.batch_size / each for each in (statistics.median(result.seconds), min(result.seconds)))
        print(f"median {median:.1f}, best {best:.1f} samples/s")
    if config.output:
        write_json(config.output, to_json(result))


def measure(config: SpeedConfig, device: torch.device) -> SpeedResult:
    """Time training steps, or say why it is not possible: attention or memory that this device does not have."""
    try:
        if config.attention:
            choose_attention(config.attention, device)
        settings = random_settings(config.policy, config.preset, config.observations, config.attention)
        policy = make_policy(config.policy, settings)
        if config.gradient_checkpointing:
            checkpoint_layers(policy)
        return _measured(policy.to(device), config, device)
    except torch.OutOfMemoryError:
        return SpeedResult(obstacle=f"it needs more memory than {device} has")
    except UsageError as error:
        if error.facts.get("field") != "attention":
            raise
        return SpeedResult(obstacle=str(error))


def _measured(policy: Policy, config: SpeedConfig, device: torch.device) -> SpeedResult:
    batch = make_batch(policy.inputs, policy.chunk_size, config.batch_size, device)
    seconds = timed_steps(policy, batch, config.steps, config.precision)
    parameters = list(policy.parameters())
    return SpeedResult(
        parameters=sum(each.numel() for each in parameters),
        trained=sum(each.numel() for each in parameters if each.requires_grad),
        seconds=tuple(seconds),
        peak_bytes=torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
    )


def random_settings(
    name: str, preset: str, observations: str | None = None, attention: str | None = None
) -> "DataclassInstance":
    """A preset's settings with weights that are random.

    Args:
        name: The policy.
        preset: The preset.
        observations: "images" or "state"; None for the preset's own.
        attention: Attention implementation, if the policy has a choice; None for the preset's own.
    """
    model: DataclassInstance = train_config(name, preset, observations).model
    changes = {**WITHOUT_WEIGHTS, **({"attention": attention} if attention else {})}
    known = {field.name for field in fields(model)}
    return replace(model, **{key: value for key, value in changes.items() if key in known})


def make_policy(name: str, settings: "DataclassInstance") -> Policy:
    """A policy for one camera and the joints of the ALOHA workcell, in training mode."""
    joints = unit_statistics(JOINTS)
    statistics = Statistics(qpos=joints, objects=unit_statistics(OBJECT_VALUES), actions=joints)
    return policy_class(name)(settings, replace(SPEC, instruction=INSTRUCTION), statistics).train()


def unit_statistics(width: int) -> FieldStatistics:
    """Statistics of a field of `width` numbers that are all one."""
    return FieldStatistics(**dict.fromkeys(FieldStatistics.__dataclass_fields__, (1.0,) * width))


def make_batch(inputs: PolicyInputs, chunk: int, size: int, device: torch.device) -> TrainingBatch:
    """Random samples for a policy's inputs, of which the last fifth of each chunk is padding."""
    observation = make_observation(size, device, INSTRUCTION, inputs.history)
    shape = (*observation.qpos.shape[:-1], chunk)
    is_pad = torch.arange(chunk, device=device).expand(shape) >= chunk * 4 // 5
    actions = torch.randn(*shape, JOINTS, device=device)
    return TrainingBatch(observation=observation, actions=actions, is_pad=is_pad)


def make_observation(size: int, device: torch.device, instruction: str = "", history: int = 1) -> ObservationBatch:
    """Random observations of `SPEC`, or windows of them."""
    shape = (size,) if history == 1 else (size, history)
    images = torch.randint(256, (*shape, *SPEC.image_size, 3), dtype=torch.uint8, device=device)
    return ObservationBatch(
        qpos=torch.randn(*shape, JOINTS, device=device),
        objects=torch.randn(*shape, OBJECT_VALUES, device=device),
        images={"top": images.movedim(-1, -3)},
        instructions=(instruction,) * size,
        valid=None if history == 1 else torch.ones(shape, dtype=torch.bool, device=device),
    )


def timed_steps(policy: Policy, batch: TrainingBatch, steps: int, precision: str) -> list[float]:
    """Seconds of each step: forward, backward, update."""
    losses, device = LossModule(policy, precision), batch.actions.device
    optimizer = make_optimizer(policy, learning_rate=1e-4, backbone_learning_rate=1e-5, weight_decay=1e-4)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        losses(batch)["loss"].backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return seconds_each(step, steps)


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
