"""Runs take-overs; `take_over` is what `run-benchmark --take-over` does, from Python."""

from dataclasses import replace
from pathlib import Path

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.evaluation.benchmark import run_plan
from ambidex.benchmarks.evaluation.config import NOT_STORED, BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import flags_of_folder, with_stored_checkpoint
from ambidex.benchmarks.evaluation.policy_loading import LoadPolicy
from ambidex.benchmarks.results.info import COMMAND
from ambidex.benchmarks.take_over.demonstration_plan import check_demonstrations
from ambidex.benchmarks.take_over.demonstrations import record_demonstrations
from ambidex.benchmarks.take_over.figure import write_curve
from ambidex.benchmarks.take_over.folder import (
    TAKE_OVER_JSON,
    TakeOverInfo,
    is_take_over_folder,
    step_folder,
    step_results,
)
from ambidex.benchmarks.take_over.plan import TakeOverPlan, fingerprint, plan_take_over
from ambidex.benchmarks.take_over.recoverability import Recoverability
from ambidex.command_line import print_message
from ambidex.errors import MissingPackageError, UsageError
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.progress import PartOfProgress, Progress
from ambidex.recorders.dataset.environment import save_definition

SHARES_CSV, FAILURES_CSV = "shares.csv", "failures.csv"
JSON, PNG = "recoverability.json", "recoverability.png"


def take_over(config: BenchmarkConfig, *, load: LoadPolicy | None = None) -> Recoverability | None:
    """Let a policy take over in the failures of a results folder, at every so many control steps.

    Args:
        config: The flags; with `resume` and `output_dir` alone, those of that folder.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.

    Returns:
        From which steps the failures were recovered, also written into the folder; None if there are no failures.

    Raises:
        UsageError: A flag is missing, unknown or not for take-overs, or the take-overs to resume are of other failures.
        DatasetError: States are missing or damaged, or a file cannot be written. Take-overs that were run are stored.
        AmbidexError: What `benchmark` raises.
    """
    plan = plan_take_over(_with_stored_flags(config))
    if plan is None:
        return None
    check_output_folder(plan.directory, TAKE_OVER_JSON, resume=config.resume)
    if plan.config.record_dataset is not None:
        check_demonstrations(plan)
    with exclusive_lock(plan.directory):
        return _run(plan, load)


def _with_stored_flags(config: BenchmarkConfig) -> BenchmarkConfig:
    """With --resume and --output-dir but no --policy, the flags of the folder."""
    folder = config.output_dir
    if not config.resume or folder is None or not is_take_over_folder(folder):
        return config
    if config.policy:
        if config.take_over is None:
            problem = f"--resume: {folder} has take-overs, and --take-over is not given."
            raise UsageError(problem, "Give --output-dir alone, or all of the original flags.", path=folder)
        return with_stored_checkpoint(config, step_folder(folder, 0))
    stored = TakeOverInfo.read(folder).settings(COMMAND, BenchmarkConfig)
    return with_stored_checkpoint(flags_of_folder(config, folder, stored, amount=frozenset()), step_folder(folder, 0))


def _run(plan: TakeOverPlan, load: LoadPolicy | None) -> Recoverability:
    _write_info(plan)
    plan.check_models()
    for note in filter(None, () if plan.config.quiet else (plan.failures.results.warning,)):
        print_message(COMMAND, note)
    complete = _run_steps(plan, load)
    found = write_recoverability(plan, complete=complete)
    if plan.config.record_dataset is not None:
        _record(plan, complete=complete)
    return found


def _run_steps(plan: TakeOverPlan, load: LoadPolicy | None) -> bool:
    """Run the take-overs at all steps that were not run yet; whether none is missing then."""
    steps, complete, before = list(plan.steps()), True, 0
    stored = sum(len(results.rows) for results in step_results(plan.directory).values())
    total, name = sum(len(step.failures) for step in steps), plan.config.policy_name or plan.config.policy
    with Progress(name, total, initial=stored, quiet=plan.config.quiet) as progress:
        for step in steps:
            number = step.take_over.step if step.take_over else 0
            part = PartOfProgress(progress, before, f"from step {number}")
            noted = step if number == 0 else replace(step, checkpoint_note="", instruction_note="")
            complete &= run_plan(noted, load=load, progress=part).complete
            before += len(step.failures)
    return complete


def _record(plan: TakeOverPlan, *, complete: bool) -> None:
    """Write the datasets, and say so; if take-overs are missing, say that they are not written."""
    if not complete:
        print_message(COMMAND, f"{plan.config.record_dataset} is written when no take-over is missing.")
        return
    summaries = record_demonstrations(plan)
    for line in map(str, summaries) if summaries else ["No take-over succeeded, so there is no dataset."]:
        if not plan.config.quiet:
            print_message(COMMAND, line)


def _write_info(plan: TakeOverPlan) -> None:
    """Write take_over.json, or check it: the failures and the steps must be those of before."""
    config, failures, directory = plan.config, plan.failures, plan.directory
    info = TakeOverInfo(
        source=str(failures.results.path.resolve()),
        failures_sha256=failures.sha256,
        policy=config.policy_name or config.policy,
        every=plan.every,
        command=format_command(COMMAND, config, leave_out=NOT_STORED),
        versions=versions(),
        config=flags_to_json(config, leave_out=NOT_STORED),
    )
    if is_take_over_folder(directory):
        _check_same(TakeOverInfo.read(directory), info, directory)
        _check_same_policy(plan)
    else:
        save_definition(directory, plan.benchmark.definition)
        info.write(directory)


def _check_same(old: TakeOverInfo, new: TakeOverInfo, directory: Path) -> None:
    names = ("source", "failures_sha256", "policy", "every")
    found = [
        f"{name} was {getattr(old, name)}, now {getattr(new, name)}"
        for name in names
        if getattr(old, name) != getattr(new, name)
    ]
    if found:
        raise _others(directory, found)


def _check_same_policy(plan: TakeOverPlan) -> None:
    """Raise a UsageError if another checkpoint or other code took over at the steps that were run."""
    now = fingerprint(plan.benchmark)
    stored = {results.info.fingerprint for results in step_results(plan.directory).values()}
    if now and stored - {now}:
        name = plan.config.policy_name or plan.config.policy
        raise _others(plan.directory, [f"{name} had other weights or code"])


def _others(directory: Path, found: list[str]) -> UsageError:
    problem = f"--resume: the take-overs in {directory} are others: {'; '.join(found)}."
    hint = "Give the original flags and results, or another --output-dir."
    return UsageError(problem, hint, path=directory, got=found)


def write_recoverability(plan: TakeOverPlan, *, complete: bool) -> Recoverability:
    """Read the results of all steps, and write tables and picture beside them."""
    directory, policy = plan.directory, plan.config.policy_name or plan.config.policy
    found = Recoverability.read(directory, plan.failures, policy=policy, complete=complete)
    write_json(directory / JSON, found.to_dict())
    write_text(directory / SHARES_CSV, found.shares_csv())
    write_text(directory / FAILURES_CSV, found.failures_csv())
    title = f"Share of {len(found.failures)} failures of {found.failed_policy} that {policy} recovers"
    try:
        write_curve(directory / PNG, found.shares, title)
    except MissingPackageError as error:
        print_message(COMMAND, str(error))
    return found
