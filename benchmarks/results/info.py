"""Reads and writes benchmark.json, which says what produced a results folder."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambidex.codec import Count
from ambidex.envs.registry import check_spec
from ambidex.envs.shards import Shard
from ambidex.envs.types import EnvSpec
from ambidex.output_folder import FolderInfo

COMMAND = "run-benchmark"
BENCHMARK_JSON = "benchmark.json"


@dataclass(frozen=True, kw_only=True)
class CheckpointId:
    """The checkpoint that was evaluated: its folder at the time of the run, and the SHA-256 of its weights."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ServingInfo:
    """How the predictions of a policy were computed.

    Attributes:
        device: Device of the forward passes, e.g. "cuda:0".
        device_name: Its name.
        lanes: Batch slots: rows of every forward pass.
        notes: Limits of reproducibility, one sentence each.
    """

    device: str
    device_name: str
    lanes: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RemoteInfo:
    """The policy on a server that was evaluated; its address, layout and name are among the flags.

    Attributes:
        metadata: What the server said about its policy, as JSON.
        sha256: SHA-256 of that message and the name of the policy.
        notes: Limits of reproducibility, one sentence each.
    """

    metadata: Mapping[str, Any]
    sha256: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CodeInfo:
    """Code that ambidex does not have: a policy of the caller's own, or what connects to a robot.

    Attributes:
        module: Its module, "__main__" for a script or a notebook.
        qualified_name: Name of the function or class in it.
        file: Its file; empty if it is in none.
        sha256: SHA-256 of the text of its module, of a script or notebook only that of the function or class; empty if
            there is none.
    """

    module: str
    qualified_name: str
    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TakeOverStep:
    """Where the episodes of a results folder start, if not from initial states: within failures of another policy.

    Attributes:
        source: The results folder with those failures.
        failures_sha256: SHA-256 of their rows.
        step: The control step whose stored state is the first state here.
        episodes: How many episodes there are to run.
    """

    source: str
    failures_sha256: str
    step: Count
    episodes: Count


@dataclass(frozen=True, kw_only=True)
class BenchmarkInfo(FolderInfo):
    """The content of benchmark.json.

    Attributes:
        policy: Registered policy or baseline, or the name of a policy on a server.
        execution: How chunks were executed, e.g. "chunk:100"; empty for a baseline.
        protocol: Evaluation protocol, and which flags deviate from it; empty for none.
        warning: One line on tasks that a policy was not trained on; empty if there are none.
        command: The resolved command, without flags that do not change results.
        checkpoint: The checkpoint of a policy; None for a baseline.
        serving: How a policy was served; None for a baseline.
        remote: The policy on a server that was asked; None for others.
        source: The code of a policy that the caller of the benchmark wrote; None for others.
        robot: The code that connects to the robot on which the policy acted; None in simulation.
        verdicts: Who said whether a rollout on a robot succeeded: "ask" (the operator), "robot" or "file"; empty in
            simulation.
        take_over: Where the episodes start; None for initial states.
        env_specs: Task -> spec of its environment.
        versions: Package -> version.
        machine: Processor, cores and similar.
        config: Resolved flags of the command; empty in files of version 0.1.
    """

    file_name = BENCHMARK_JSON
    format_version = 5
    folder_kind = "a results folder"
    written_by = COMMAND

    policy: str
    execution: str
    command: str
    checkpoint: CheckpointId | None
    serving: ServingInfo | None
    env_specs: Mapping[str, EnvSpec]
    versions: Mapping[str, str]
    machine: Mapping[str, str | int | float]
    protocol: str = ""
    warning: str = ""
    remote: RemoteInfo | None = None
    source: CodeInfo | None = None
    robot: CodeInfo | None = None
    verdicts: str = ""
    take_over: TakeOverStep | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """Limits of reproducibility, one sentence each."""
        source = self.serving or self.remote
        return source.notes if source else ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, the server or the code of the policy; empty for a baseline."""
        made_of = self.checkpoint or self.remote or self.source
        return made_of.sha256 if made_of else ""

    @property
    def shard(self) -> Shard | None:
        """Which of the requested episodes the folder is to have; None for all."""
        text = self.config.get("shard")
        return None if text is None else Shard.parse(text)

    def __post_init__(self) -> None:
        for spec in self.env_specs.values():
            check_spec(spec)


def describe_hardware() -> dict[str, str | float]:
    """Processor, cores and memory, ready for JSON; `load_before` shows whether other programs were running."""
    return {
        "processor": _processor(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
        "system": platform.platform(),
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
