"""How others evaluate on LIBERO, so that numbers can be set side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.envs.task import STRICT
from ambidex.errors import UnknownNameError, UsageError


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a stack evaluates on LIBERO; all of them count a success when the goal holds at any one step.

    Attributes:
        horizons: Suite -> control steps of an episode, those of settling not counted.
        settle_steps: Control steps of doing nothing before an episode begins.
        settle_gripper: What the gripper does meanwhile, "open" or "hold".
        episodes: Episodes per task.
    """

    horizons: Mapping[str, int]
    settle_steps: int
    settle_gripper: str
    episodes: int


_LONG = {"libero_object": 280, "libero_goal": 300, "libero_10": 520, "libero_90": 400}
PROTOCOLS: Mapping[str, Protocol] = {
    "openvla": Protocol(horizons={"libero_spatial": 220, **_LONG}, settle_steps=10, settle_gripper="open", episodes=50),
    "lerobot": Protocol(horizons={"libero_spatial": 280, **_LONG}, settle_steps=10, settle_gripper="open", episodes=10),
    "libero": Protocol(
        horizons=dict.fromkeys(("libero_spatial", *_LONG), 600), settle_steps=5, settle_gripper="hold", episodes=20
    ),
}
"""Source: the evaluation scripts of OpenVLA (and OpenVLA-OFT, openpi), LeRobot and LIBERO; facts, section 1.7."""

SUCCESS = "libero"


# FOLDED benchmarks.running.posing: What was left to the protocol, filled in; and where the flags depart from it.

EPISODES = 50


def apply_protocol(config: BenchmarkConfig, tasks: Sequence[str]) -> BenchmarkConfig:
    """The config with its protocol's numbers, or the usual ones, wherever a flag was not given.

    Args:
        config: As given.
        tasks: The tasks, by canonical name.

    Raises:
        UsageError: There is no such protocol, or it does not cover these tasks.
    """
    left = {name: value for name, value in _values(config, tasks).items() if getattr(config, name) is None}
    return replace(config, **left)  # type: ignore[arg-type]


def strip_defaults(config: BenchmarkConfig, tasks: Sequence[str]) -> BenchmarkConfig:
    """Inverse of `posed`: only what departs from the protocol, or from the usual numbers, is there."""
    same = {name: None for name, value in _values(config, tasks).items() if getattr(config, name) == value}
    return replace(config, **same)  # type: ignore[arg-type]


def protocol_deviations(config: BenchmarkConfig, tasks: Sequence[str]) -> list[str]:
    """Where a posed config departs from its protocol, e.g. "--episodes 5 instead of 50"."""
    if config.protocol is None:
        return []
    starts = [] if config.init_states else ["starts of our own instead of --init-states"]
    return starts + [
        f"--{name.replace('_', '-')} {getattr(config, name)} instead of {value}"
        for name, value in protocol_values(config, tasks).items()
        if getattr(config, name) not in (None, value)
    ]


def settle_gripper(config: BenchmarkConfig) -> str:
    """What the gripper does while a posed config's scenes settle: as its protocol has it, else it opens."""
    return PROTOCOLS[config.protocol].settle_gripper if config.protocol else "open"


def _values(config: BenchmarkConfig, tasks: Sequence[str]) -> dict[str, object]:
    usual: dict[str, object] = {"success": STRICT, "settle_steps": 0, "episodes": EPISODES}
    return usual if config.protocol is None else protocol_values(config, tasks)


def protocol_values(config: BenchmarkConfig, tasks: Sequence[str]) -> dict[str, object]:
    """Field of the config -> what its protocol says.

    Raises:
        UsageError: There is no such protocol, or it does not cover these tasks.
    """
    name = str(config.protocol)
    if name not in PROTOCOLS:
        raise UnknownNameError("protocol", name, PROTOCOLS)
    protocol = PROTOCOLS[name]
    suites = {task.partition("/")[0] for task in tasks}
    foreign = sorted(suites - set(protocol.horizons))
    if foreign and config.horizon is None:
        raise UsageError(
            f"--protocol {name} says how long episodes of {', '.join(protocol.horizons)} are, and nothing of "
            f"{', '.join(tasks) if len(tasks) < 3 else foreign[0]}. Say so with --horizon, or leave --protocol out."
        )
    horizon = {} if foreign else {"horizon": max(protocol.horizons[suite] for suite in suites)}
    return {**horizon, "success": SUCCESS, "settle_steps": protocol.settle_steps, "episodes": protocol.episodes}
