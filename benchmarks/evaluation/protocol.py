"""The protocols by which others evaluate on LIBERO, and the default values of flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.envs.task import STRICT
from ambidex.envs.tasks.libero.suites import HORIZONS
from ambidex.errors import UsageError, check_name
from ambidex.text import first_few

DEFAULTS: Mapping[str, object] = {"success": STRICT, "settle_steps": 0, "episodes": 50}
SUCCESS = "libero"


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a project evaluates on LIBERO. In all of them an episode succeeds when the goal holds at any one step.

    Attributes:
        horizons: Suite -> control steps of an episode, without those of settling.
        settle_steps: No-op control steps before an episode starts.
        settle_gripper: What the gripper does meanwhile, "open" or "hold".
        episodes: Episodes per task.
    """

    horizons: Mapping[str, int]
    settle_steps: int
    settle_gripper: str
    episodes: int


PROTOCOLS: Mapping[str, Protocol] = {
    "openvla": Protocol(horizons=HORIZONS, settle_steps=10, settle_gripper="open", episodes=50),
    "lerobot": Protocol(
        horizons={**HORIZONS, "libero_spatial": 280}, settle_steps=10, settle_gripper="open", episodes=10
    ),
    "libero": Protocol(horizons=dict.fromkeys(HORIZONS, 600), settle_steps=5, settle_gripper="hold", episodes=20),
}
"""Source: the evaluation scripts of OpenVLA (also used by OpenVLA-OFT and openpi), LeRobot and LIBERO."""


def apply_protocol(config: BenchmarkConfig, tasks: Sequence[str]) -> BenchmarkConfig:
    """Fill in the flags that are not given, from the protocol or, without one, from `DEFAULTS`.

    Raises:
        UsageError: The protocol does not exist or does not cover these tasks.
    """
    values = {name: value for name, value in _values(config, tasks).items() if getattr(config, name) is None}
    return replace(config, **values)  # type: ignore[arg-type]


def strip_defaults(config: BenchmarkConfig, tasks: Sequence[str]) -> BenchmarkConfig:
    """Inverse of `apply_protocol`: flags that have the value of the protocol, or the default, are None again."""
    unset = {name: None for name, value in _values(config, tasks).items() if getattr(config, name) == value}
    return replace(config, **unset)  # type: ignore[arg-type]


def protocol_deviations(config: BenchmarkConfig, tasks: Sequence[str]) -> list[str]:
    """Where a config that `apply_protocol` made deviates from its protocol, e.g. "--episodes 5 instead of 50"."""
    if config.protocol is None:
        return []
    perturbed = [f"--perturb {' '.join(config.perturb)}"] if config.perturb else []
    sampled = [] if config.init_states else ["starts of our own instead of --init-states"]  # as stored in files
    changed = [
        f"--{name.replace('_', '-')} {getattr(config, name)} instead of {value}"
        for name, value in _values(config, tasks).items()
        if getattr(config, name) not in (None, value)
    ]
    return [*perturbed, *sampled, *changed]


def settle_gripper(config: BenchmarkConfig) -> str:
    """What the gripper does while objects settle: as the protocol says, otherwise it opens."""
    return PROTOCOLS[config.protocol].settle_gripper if config.protocol else "open"


def _values(config: BenchmarkConfig, tasks: Sequence[str]) -> Mapping[str, object]:
    """Field of the config -> its value under the protocol, or its default without a protocol."""
    if config.protocol is None:
        return DEFAULTS
    check_name("protocol", config.protocol, PROTOCOLS)
    protocol = PROTOCOLS[config.protocol]
    suites = {task.partition("/")[0] for task in tasks}
    uncovered = sorted(suites - set(protocol.horizons))
    if uncovered and config.horizon is None:
        raise UsageError(
            f"--protocol {config.protocol} has no horizon for {first_few(tasks, separator=', ')}. It covers "
            f"{', '.join(protocol.horizons)}.",
            "Give --horizon, or leave --protocol out.",
            got=uncovered,
            expected=list(protocol.horizons),
        )
    horizon = {} if uncovered else {"horizon": max(protocol.horizons[suite] for suite in suites)}
    return {**horizon, "success": SUCCESS, "settle_steps": protocol.settle_steps, "episodes": protocol.episodes}
