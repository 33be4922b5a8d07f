"""Reads results folders as the entries of a table: one for each policy, over the tasks of all its folders."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ambidex.benchmarks.comparison.compare import SAME_IN_BOTH
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.envs.registry import SUITES
from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec
from ambidex.errors import UsageError

ALL = "all"
TASK, SUITE = "task", "suite"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One policy.

    Attributes:
        name: As it is called in tables.
        folders: Its results folders, which have no task in common.
    """

    name: str
    folders: tuple[ResultsFolder, ...]

    @cached_property
    def rows(self) -> list[EpisodeRow]:
        """The rows of all its episodes."""
        return [row for folder in self.folders for row in folder.rows]

    @cached_property
    def specs(self) -> Mapping[str, EnvSpec]:
        """Task -> spec of its environment, in the order of the folders."""
        return {task: spec for folder in self.folders for task, spec in folder.info.env_specs.items()}

    def tally(self, tasks: Sequence[str]) -> Tally:
        """Counts over its episodes of some tasks; none unless it has all of them."""
        complete = set(tasks) <= self.specs.keys()
        stages = self.specs[tasks[0]].stages if complete and len(tasks) == 1 else ()
        return Tally.of([row for row in self.rows if complete and row.task in tasks], stages)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a table: a task, a suite or all tasks ("kind"), and the tasks that it counts."""

    kind: str
    name: str
    tasks: tuple[str, ...]


def read_entries(paths: Sequence[Path], names: Sequence[str] | None = None) -> list[Entry]:
    """Read results folders. Folders of the same policy with other tasks, such as the suites of LIBERO, are one entry.

    Args:
        paths: The folders.
        names: Names of the entries; None for those of the policies, with the folder where they are the same.

    Raises:
        UsageError: No path, a folder does not exist or is of take-overs, or names that are not one for each entry.
        DatasetError: A folder has no episodes, or is damaged.
    """
    if not paths:
        raise UsageError("No results folder is given.", "Name some, e.g. export-results results/act-insertion.")
    groups: dict[object, Entry] = {}
    for folder in map(ResultsFolder.open, paths):
        _check_whole_episodes(folder)
        key = _identity(folder)
        known = groups.get(key)
        while known is not None and known.specs.keys() & folder.info.env_specs.keys():  # another run of the same tasks
            key = (key, len(groups))
            known = groups.get(key)
        folders = (*known.folders, folder) if known else (folder,)
        groups[key] = Entry(name=folder.info.policy, folders=folders)
    entries = list(groups.values())
    if names is not None and len(names) != len(entries):
        problem = f"--names gives {len(names)} names, but there are {len(entries)} policies: {_listed(entries)}."
        raise UsageError(problem, "Folders of one policy with different tasks count as one.", got=names)
    chosen = names or _names(entries)
    if len(set(chosen)) < len(chosen):
        problem = f"Two policies have the same name: {', '.join(chosen)}."
        raise UsageError(problem, "Give each a name of its own with --names.", got=chosen)
    return [replace(each, name=name) for each, name in zip(entries, chosen, strict=True)]


def lines(entries: Sequence[Entry], by: str) -> list[Line]:
    """The lines of a table: each task with its suite, or suites only; and all together if there are several suites."""
    tasks = list(dict.fromkeys(task for entry in entries for task in entry.specs))
    suites: dict[str, list[str]] = {}
    for task in tasks:
        suites.setdefault(suite_of(task), []).append(task)
    found = []
    for suite, members in suites.items():
        if by == TASK or len(members) == 1:
            found += [Line(kind=TASK, name=task, tasks=(task,)) for task in members]
        if len(members) > 1:
            found.append(Line(kind=SUITE, name=suite, tasks=tuple(members)))
    return [*found, *([Line(kind=ALL, name=ALL, tasks=tuple(tasks))] if len(suites) > 1 else [])]


def setting_differences(entries: Sequence[Entry]) -> list[str]:
    """One line per task and setting in which entries differ, so that their rates are not comparable."""
    found = []
    for task in dict.fromkeys(task for entry in entries for task in entry.specs):
        specs = {entry.name: entry.specs[task] for entry in entries if task in entry.specs}
        for name in (*SAME_IN_BOTH, "perturb"):
            values = {entry: getattr(spec, name) for entry, spec in specs.items()}
            if len(set(values.values())) > 1:
                found.append(
                    f"{name} of {task}: {', '.join(f'{value} for {entry}' for entry, value in values.items())}"
                )
    return found


def suite_of(task: str) -> str:
    """The suite that a task is in; its own name if it is in none."""
    return next((suite for suite, tasks in SUITES.items() if task in tasks), task)


def _check_whole_episodes(folder: ResultsFolder) -> None:
    """Raise a UsageError if the rates of a folder are no success rates of held-out episodes."""
    if any(row.seed < FIRST_BENCHMARK_SEED for row in folder.rows):
        problem = f"{folder.path}: its episodes are of training seeds."
        raise UsageError(problem, "Export results of held-out seeds.", path=folder.path)
    if take_over := folder.info.take_over:
        problem = f"{folder.path}: its episodes start at step {take_over.step} of failures in {take_over.source}."
        hint = f"They are no success rate of {folder.info.policy}; {folder.path.parent} has tables of them."
        raise UsageError(problem, hint, path=folder.path)


def _identity(folder: ResultsFolder) -> object:
    info = folder.info
    perturbed = tuple(sorted({spec.perturb for spec in info.env_specs.values()}))
    return info.policy, info.execution, info.fingerprint, info.protocol, perturbed


def _names(entries: Sequence[Entry]) -> list[str]:
    count = Counter(entry.name for entry in entries)
    return [f"{e.name} ({e.folders[0].path.name})" if count[e.name] > 1 else e.name for e in entries]


def _listed(entries: Sequence[Entry]) -> str:
    return "; ".join(f"{entry.name} in {', '.join(str(folder.path) for folder in entry.folders)}" for entry in entries)
