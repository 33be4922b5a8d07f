"""benchmark.json: what a results folder was made with."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ambidex.envs.types import EnvSpec
from ambidex.output_folder import FolderInfo

BENCHMARK_JSON = "benchmark.json"


@dataclass(frozen=True, kw_only=True)
class CheckpointId:
    """Which checkpoint acted.

    Attributes:
        path: Where it lay.
        sha256: Fingerprint of its weights.
    """

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ServingInfo:
    """How a policy's answers were computed.

    Attributes:
        device: Where.
        device_name: Its name.
        lanes: Rows of every forward pass.
        notes: What must be said about reproducibility.
    """

    device: str
    device_name: str
    lanes: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BenchmarkInfo(FolderInfo):
    """What a results folder was made with.

    Attributes:
        policy: Who acted.
        execution: How chunks were played, e.g. "chunk:100"; empty for who does not predict chunks.
        protocol: Whose protocol, and where flags departed from it; empty for none.
        warning: One line on tasks that a learned policy was not trained on; empty if there are none.
        command: The resolved command, without what must not matter.
        checkpoint: Of a learned policy.
        serving: Of a learned policy.
        env_specs: Task -> spec of the environment it acted in.
        versions: Package -> version.
        machine: Processor, cores and the like.
        config: Resolved flags of the command; empty in files of version 0.1.
    """

    file_name = BENCHMARK_JSON
    _content = "a results folder"
    _writer = "run-benchmark"

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
    config: Mapping[str, Any] = field(default_factory=dict)


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
