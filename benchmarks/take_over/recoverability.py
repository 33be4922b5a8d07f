"""Until when failures could be recovered: the share at each step, and the last step of each failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.take_over.failures import Failure, Failures
from ambidex.benchmarks.take_over.folder import TakeOverInfo, step_results
from ambidex.codec import to_json
from ambidex.envs.types import EnvSpec
from ambidex.text import csv_text, pluralize, text_table

NEVER = "never"
DIGITS = 8  # of a SHA-256 in the name of a policy


@dataclass(frozen=True, kw_only=True)
class StepShare:
    """The take-overs at one step.

    Attributes:
        step: Control step of the failed episodes.
        tally: Counts; `rate` is the share of the failures that were recovered from there, with its intervals.
    """

    step: int
    tally: Tally


@dataclass(frozen=True, kw_only=True)
class RecoveredFailure:
    """What the take-overs say of one failure.

    Attributes:
        task: Task name.
        seed: Episode seed.
        taken_over: Steps at which it was taken over, in order.
        recovered: Those from which the take-over succeeded.
        errors: How many take-overs ended with an error, such as a plan that cannot be made: they do not recover.
        last_recoverable: The last of `recovered`; None if there is none.
        last_recoverable_s: The same, from the start of the episode [s].
        stage_there: Stage of the failed episode at that step; empty if there is none.
        final_stage: Its stage at its end.
        highest_stage: The highest stage that it reached.
        monotone: Take-overs succeeded at all steps up to some point, and at none after it.
    """

    task: str
    seed: int
    taken_over: tuple[int, ...]
    recovered: tuple[int, ...]
    errors: int
    last_recoverable: int | None
    last_recoverable_s: float | None
    stage_there: str
    final_stage: str
    highest_stage: str
    monotone: bool

    @classmethod
    def of(cls, failure: Failure, spec: EnvSpec, rows: Sequence[tuple[int, EpisodeRow]]) -> "RecoveredFailure":
        """From step and row of each of its take-overs, in order."""
        recovered = tuple(step for step, row in rows if row.success)
        last = recovered[-1] if recovered else None
        return cls(
            task=failure.row.task,
            seed=failure.row.seed,
            taken_over=tuple(step for step, _ in rows),
            recovered=recovered,
            errors=sum(bool(row.error) for _, row in rows),
            last_recoverable=last,
            last_recoverable_s=None if last is None else last / spec.control_hz,
            stage_there="" if last is None else spec.stages[failure.stages[last]],
            final_stage=spec.stages[failure.stages[-1]],
            highest_stage=failure.row.stage_name,
            monotone=recovered == tuple(step for step, _ in rows[: len(recovered)]),
        )


@dataclass(frozen=True, kw_only=True)
class Recoverability:
    """The result of take-overs. As text it is the table of failures and of shares.

    Attributes:
        directory: The folder with a results folder for each step.
        source: The results folder with the failures.
        policy: The policy that took over. If both have the same name, the first digits of what their weights or code
            are identified by follow.
        failed_policy: The policy that failed, likewise.
        shares: The take-overs at each step, in order.
        failures: What is known of each failure, by task and seed.
        complete: All take-overs were run.
    """

    directory: Path
    source: Path
    policy: str
    failed_policy: str
    shares: tuple[StepShare, ...]
    failures: tuple[RecoveredFailure, ...]
    complete: bool

    @classmethod
    def read(cls, directory: Path, failures: Failures, *, policy: str, complete: bool) -> "Recoverability":
        """From the results folders of all steps, and the failures that were taken over."""
        steps = step_results(directory)
        by = next((each.info for each in steps.values()), None)
        policy, failed_policy = _names(policy, by.fingerprint if by else "", failures.results.info)
        rows: dict[EpisodeKey, list[tuple[int, EpisodeRow]]] = {failure.key: [] for failure in failures.episodes}
        for step, results in steps.items():
            for row in results.rows:
                rows[row.key].append((step, row))
        specs = failures.specs
        return cls(
            directory=directory,
            source=failures.results.path,
            policy=policy,
            failed_policy=failed_policy,
            shares=tuple(StepShare(step=step, tally=Tally.of(each.rows)) for step, each in steps.items() if each.rows),
            failures=tuple(
                RecoveredFailure.of(failure, specs[failure.row.task], rows[failure.key])
                for failure in failures.episodes
                if rows[failure.key]
            ),
            complete=complete,
        )

    def to_dict(self) -> dict[str, object]:
        """The content of recoverability.json."""
        return dict(to_json(self))

    def shares_csv(self) -> str:
        """A line for each step: how many failures were recovered from there, and the share with its 95 % interval."""
        header = ("step", "failures", "recovered", "errors", "share", "low", "high")
        return csv_text(header, [(each.step, *_counts(each.tally)) for each in self.shares])

    def failures_csv(self) -> str:
        """A line for each failure."""
        header = (*FAILURE_COLUMNS, "taken over", "recovered", "errors")
        return csv_text(
            header,
            [(*_columns(each), len(each.taken_over), len(each.recovered), each.errors) for each in self.failures],
        )

    def __str__(self) -> str:
        """The table of failures, the table of shares, and how far they are from monotone."""
        failures = text_table(FAILURE_COLUMNS, [tuple(map(str, _columns(each))) for each in self.failures])
        header = ("taken over at step", "recovered", "errors")
        shares = [(str(each.step), str(each.tally), str(each.tally.errors)) for each in self.shares]
        return "\n".join([failures, "", text_table(header, shares), "", self._summary()])

    def _summary(self) -> str:
        recovered = sum(each.last_recoverable is not None for each in self.failures)
        jagged = sum(not each.monotone for each in self.failures)
        return (
            f"{self.policy} recovered {recovered} of {pluralize(len(self.failures), 'failure')} of "
            f"{self.failed_policy} from at least one step. {jagged} could be recovered from a later step, but not from "
            f"an earlier one. Results in {self.directory}"
        )


def _names(policy: str, fingerprint: str, failed: BenchmarkInfo) -> tuple[str, str]:
    """What the policy that took over and the one that failed are called."""
    if policy != failed.policy or not (fingerprint and failed.fingerprint):
        return policy, failed.policy
    return f"{policy} {fingerprint[:DIGITS]}", f"{failed.policy} {failed.fingerprint[:DIGITS]}"


FAILURE_COLUMNS = (
    *("task", "seed", "last recoverable step", "time [s]", "stage there", "final stage", "highest stage", "monotone"),
)


def _columns(failure: RecoveredFailure) -> tuple[object, ...]:
    last, seconds = failure.last_recoverable, failure.last_recoverable_s
    return (
        failure.task,
        failure.seed,
        NEVER if last is None else last,
        "" if seconds is None else f"{seconds:.2f}",
        failure.stage_there,
        failure.final_stage,
        failure.highest_stage,
        "yes" if failure.monotone else "no",
    )


def _counts(tally: Tally) -> tuple[object, ...]:
    shares = (tally.rate or 0.0, *tally.interval)
    return (tally.n, tally.successes, tally.errors, *(f"{share:.4f}" for share in shares))


def read_recoverability(directory: Path) -> Recoverability:
    """What a folder of take-overs says, finished or not.

    Raises:
        DatasetError: A file of it is damaged, or the failures are missing.
        UsageError: There is no folder with the failures.
    """
    info = TakeOverInfo.read(directory)
    failures = Failures.of(Path(info.source), info.config.get("task"))
    steps = step_results(directory).values()
    return Recoverability.read(
        directory, failures, policy=info.policy, complete=all(not each.unfinished for each in steps)
    )
