"""One command of the GPU study."""

import sys
from dataclasses import dataclass
from pathlib import Path

MODULES = {
    "record-episodes": "ambidex.recorders.record_episodes",
    "render-episodes": "ambidex.recorders.render_episodes",
    "train-policy": "ambidex.policies.train_policy",
    "run-benchmark": "ambidex.benchmarks.run_benchmark",
}


@dataclass(frozen=True, kw_only=True)
class StudyJob:
    """One command of the study, which runs in a process of its own.

    Attributes:
        name: Unique within the study; names its log.
        command: One of the project's commands.
        flags: Its flags.
        marker: A file that says, once it is there, that the command can go on with --resume.
        needs: Names of jobs whose output it reads.
    """

    name: str
    command: str
    flags: tuple[str, ...]
    marker: Path
    needs: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The command line, for people and for recognising the job."""
        return " ".join((self.command, *self.flags))

    def argv(self) -> list[str]:
        """What to start. Works where the commands are not installed, too: with PYTHONPATH alone."""
        start = f"from {MODULES[self.command]} import main; main()"
        resume = ["--resume"] if self.marker.exists() else []
        return [sys.executable, "-c", start, *self.flags, *resume]
