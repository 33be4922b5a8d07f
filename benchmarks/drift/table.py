"""The table of fingerprints: a row for each task under each version of MuJoCo."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_text
from ambidex.benchmarks.drift.fingerprint import TaskFingerprint
from ambidex.errors import UsageError, check_name
from ambidex.output_folder import read_rows, row_to_line, versions

TABLE = Path(__file__).with_name("table.jsonl")
"""The table that comes with ambidex."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A task under one version of MuJoCo.

    Attributes:
        mujoco: The version.
        task: Name of the task.
        ambidex: Version of ambidex that computed it.
        platform: System and type of processor, likewise.
        fingerprint: What was found.
    """

    mujoco: str
    task: str
    ambidex: str
    platform: str
    fingerprint: TaskFingerprint


@dataclass(frozen=True, kw_only=True)
class DriftTable:
    """The fingerprints of tasks under some versions of MuJoCo.

    Attributes:
        rows: One for each version and task; versions in the order in which they were added.
    """

    rows: tuple[Row, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a table.

        Raises:
            UsageError: There is no such file.
            DatasetError: It is no table.
        """
        if not path.is_file():
            hint = "Leave --table out for the one of ambidex, or make a new one with --update."
            raise UsageError(f"There is no table {path}.", hint, path=path)
        return cls(rows=tuple(read_rows(Row, path, lambda row: f"{row.task} under MuJoCo {row.mujoco}")))

    def write(self, path: Path) -> None:
        """Write the table, whole or not at all."""
        write_text(path, "".join(f"{row_to_line(row, path.name)}\n" for row in self.rows))

    @property
    def mujoco_versions(self) -> tuple[str, ...]:
        """The versions of MuJoCo that it has, in the order in which they were added."""
        return tuple(dict.fromkeys(row.mujoco for row in self.rows))

    def column(self, version: str) -> dict[str, TaskFingerprint]:
        """Task -> its fingerprint under a version of MuJoCo; empty if there are none."""
        return {row.task: row.fingerprint for row in self.rows if row.mujoco == version}

    def version_to_compare(self, installed: str, wanted: str | None) -> str | None:
        """The version to compare the installed one with: as wanted, else itself, else the one that was added last.

        Returns:
            None if the table is empty.

        Raises:
            UnknownNameError: The table does not have the wanted version.
        """
        known = self.mujoco_versions
        if wanted is not None:
            check_name("version of MuJoCo in the table", wanted, known)
            return wanted
        return installed if installed in known else known[-1] if known else None

    def updated(self, mujoco: str, found: Mapping[str, TaskFingerprint]) -> "DriftTable":
        """The table with these fingerprints under a version of MuJoCo; what it has of other tasks stays.

        An expert that was not run keeps its outcome if the task is the same.
        """
        old, here = self.column(mujoco), versions()
        added = {
            task: Row(
                mujoco=mujoco,
                task=task,
                ambidex=here["ambidex"],
                platform=here["platform"],
                fingerprint=_with_expert(fingerprint, old.get(task)),
            )
            for task, fingerprint in found.items()
        }
        column = {row.task: row for row in self.rows if row.mujoco == mujoco} | added
        others = {version: [row for row in self.rows if row.mujoco == version] for version in self.mujoco_versions}
        columns = {**others, mujoco: [column[task] for task in sorted(column)]}
        return DriftTable(rows=tuple(row for rows in columns.values() for row in rows))


def _with_expert(found: TaskFingerprint, old: TaskFingerprint | None) -> TaskFingerprint:
    same = old is not None and replace(found, expert=old.expert) == old
    return replace(found, expert=old.expert) if same and old and found.expert is None else found
