"""What has changed about tasks between two versions of MuJoCo."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from ambidex.benchmarks.drift.fingerprint import Fingerprint, TaskFingerprint
from ambidex.intervals import format_rate
from ambidex.text import first_few, pluralize, text_table

TOLERANCE = 1e-9  # of the norm of a difference [m, rad]; other arithmetic makes 1e-15
PARTS = ("model", "initial_states", "physics")
HEADER = ("task", *(part.replace("_", " ") for part in PARTS))


class Agreement(IntEnum):
    """How well two fingerprints agree."""

    IDENTICAL = 0
    CLOSE = 1
    MOVED = 2

    def __str__(self) -> str:
        return ("identical", f"same to {TOLERANCE:.0e}".replace("e-0", "e-"), "moved")[self]


def agreement(before: Fingerprint, now: Fingerprint) -> Agreement:
    """Bit for bit, within `TOLERANCE`, or neither."""
    if before == now:
        return Agreement.IDENTICAL
    return Agreement.CLOSE if now.distance(before) <= TOLERANCE else Agreement.MOVED


@dataclass(frozen=True, kw_only=True)
class TaskDrift:
    """A task then and now."""

    task: str
    before: TaskFingerprint
    now: TaskFingerprint

    @property
    def parts(self) -> Mapping[str, Agreement]:
        """Each of `PARTS` -> how it agrees."""
        return {part: agreement(getattr(self.before, part), getattr(self.now, part)) for part in PARTS}

    @property
    def worst(self) -> Agreement:
        """The agreement of the part that agrees least."""
        return max(self.parts.values())

    def row(self) -> tuple[str, ...]:
        """For the table."""
        return self.task, *(self._cell(part) for part in PARTS)

    def _cell(self, part: str) -> str:
        found = self.parts[part]
        distance = getattr(self.now, part).distance(getattr(self.before, part))
        return f"{found} ({distance:.1e})" if found is Agreement.MOVED else str(found)

    def expert(self) -> str:
        """What the expert reached now, and what the table has; empty if it was not run."""
        before, now = self.before.expert, self.now.expert
        if now is None:
            return ""
        then = format_rate(before.successes, before.seeds) if before else "not in the table"
        return f"{self.task}: expert {format_rate(now.successes, now.seeds)}, before {then}"


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """Tasks under the version of a column and the one that is installed.

    Attributes:
        before: Version of MuJoCo in the table; None if the table is empty.
        now: The version that is installed.
        drifts: Of the tasks that are in both.
        missing: Tasks that the table does not have under that version.
        failed: Task -> why it has no fingerprint here.
    """

    before: str | None
    now: str
    drifts: tuple[TaskDrift, ...]
    missing: tuple[str, ...]
    failed: Mapping[str, str]

    @classmethod
    def of(
        cls,
        before: str | None,
        now: str,
        column: Mapping[str, TaskFingerprint],
        found: Mapping[str, TaskFingerprint],
        failed: Mapping[str, str],
    ) -> Self:
        """Compare what was found here with a column of the table."""
        drifts = tuple(TaskDrift(task=t, before=column[t], now=fresh) for t, fresh in found.items() if t in column)
        missing = tuple(task for task in found if task not in column)
        return cls(before=before, now=now, drifts=drifts, missing=missing, failed=failed)

    def with_experts(self, found: Mapping[str, TaskFingerprint]) -> Self:
        """The report with new fingerprints of some tasks, which have the outcomes of experts."""
        drifts = tuple(replace(drift, now=found.get(drift.task, drift.now)) for drift in self.drifts)
        return replace(self, drifts=drifts)

    @property
    def moved(self) -> tuple[TaskDrift, ...]:
        """Those of which a part has moved."""
        return tuple(drift for drift in self.drifts if drift.worst is Agreement.MOVED)

    def __str__(self) -> str:
        """How many tasks agree how well, and a table of those that are not identical."""
        rows = [drift.row() for drift in self.drifts if drift.worst is not Agreement.IDENTICAL]
        return "\n".join(
            [
                self._summary,
                *([text_table(HEADER, rows)] if rows else []),
                *filter(None, (drift.expert() for drift in self.drifts)),
                *(f"{task} cannot be computed here: {reason}" for task, reason in self.failed.items()),
            ]
        )

    @property
    def _summary(self) -> str:
        counts = Counter(drift.worst for drift in self.drifts)
        listed = ", ".join(f"{counts[each]} {each}" for each in Agreement)
        new = f" Not in the table: {first_few(self.missing, limit=5, separator=', ')}." if self.missing else ""
        between = f"MuJoCo {self.before} to {self.now}" if self.before else f"MuJoCo {self.now}, and an empty table"
        return f"{between}, {pluralize(len(self.drifts), 'task')}: {listed}.{new}"
