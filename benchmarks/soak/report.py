"""The table of a long run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.soak.monitor import Sample, SoakCommand
from ambidex.benchmarks.soak.verdict import WARM_UP, Finding, Verdict, findings
from ambidex.text import pluralize, text_table

HEADER = ("process", "quantity", "after the warm-up", "at the end", "change", "verdict")


@dataclass(frozen=True, kw_only=True)
class SoakRun:
    """What was seen of one command.

    Attributes:
        command: What was run.
        every: Episodes from one sample to the next.
        samples: All samples.
        findings: What they say; empty if there are too few.
    """

    command: SoakCommand
    every: int
    samples: tuple[Sample, ...]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, command: SoakCommand, every: int, samples: Sequence[Sample]) -> Self:
        found = findings(samples, command.episodes)
        return cls(command=command, every=every, samples=tuple(samples), findings=found)

    @property
    def grows(self) -> bool:
        """Something grows."""
        return any(finding.verdict is Verdict.GROWS for finding in self.findings)

    def __str__(self) -> str:
        """What was run, and a table with a row for each finding."""
        return "\n".join(
            [self._heading, text_table(HEADER, [_row(f) for f in self.findings]) if self.findings else TOO_FEW]
        )

    @property
    def _heading(self) -> str:
        done, of = (self.samples[-1].episodes if self.samples else 0), self.command.episodes
        speed = f", {done / self.samples[-1].seconds:.2f} episodes/s" if self.samples else ""
        return (
            f"{self.command.label}: {done} of {pluralize(of, 'episode')} sampled{speed}, warm-up "
            f"{round(WARM_UP * of)}, a sample every {self.every}"
        )


TOO_FEW = "There are too few samples after the warm-up to compare. Run more episodes, or give a smaller --every."


def _row(finding: Finding) -> tuple[str, ...]:
    first, last = (f"{value:.5g} {finding.unit}".rstrip() for value in (finding.first, finding.last))
    change = f"{100 * (finding.last / finding.first - 1):+.1f} %" if finding.unit and finding.first else ""
    return finding.process, finding.quantity, first, last, change, str(finding.verdict)
