"""Runs a tournament; `run_tournament` is what `run-benchmark --tournament` does, from Python."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import NOT_STORED, BenchmarkConfig
from ambidex.benchmarks.evaluation.own_policy import is_address
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan, default_folder, flags_of_folder
from ambidex.benchmarks.evaluation.policy_loading import LoadPolicy
from ambidex.benchmarks.evaluation.summary import BenchmarkSummary
from ambidex.benchmarks.results.info import COMMAND
from ambidex.benchmarks.robustness.suite import SUITE
from ambidex.benchmarks.tournament.candidates import Candidate, plan_candidates
from ambidex.benchmarks.tournament.folder import TOURNAMENT_JSON, TournamentFolder, TournamentInfo
from ambidex.benchmarks.tournament.ranking import Ranking
from ambidex.benchmarks.tournament.rounds import MODES, Outcomes, Rule, fewest_episodes, run_rounds
from ambidex.command_line import print_message
from ambidex.errors import AmbidexError, UsageError, check_name
from ambidex.flags import changed_flags, flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.text import was_now

NAME = "tournament"
AMOUNT = frozenset({"episodes", "budget"})
"""Flags that may change when a tournament is resumed; the budget may only grow."""
REFUSED: Mapping[str, str] = {
    "policy": "Name the policies with --checkpoints and --policies.",
    "checkpoint": "Name all of them with --checkpoints.",
    "shard": "Which episodes are run depends on the outcomes of all others, so there are no shards.",
    "take_over": "A tournament runs whole episodes.",
    "check": "Check each policy with run-benchmark --policy.",
    "init_states": "A file has a fixed number of initial states, and the order may need more.",
    "training_seeds": "A rate on training seeds says nothing about which policy is better.",
}
"""Flag -> why it does not go with --tournament, or what to do instead."""


def run_tournament(config: BenchmarkConfig, *, load: LoadPolicy | None = None) -> tuple[TournamentFolder, Ranking]:
    """Run rounds of episodes until the order of several policies is settled or the budget is spent.

    Every policy has an ordinary results folder in that of the tournament.

    Args:
        config: The flags of run-benchmark; with `resume` and `output_dir` alone, those of that folder.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.

    Returns:
        The folder, and the order of the policies with what is shown of it.

    Raises:
        UsageError: A flag is missing, unknown or impossible, there are fewer than two policies or one of them twice, or
            the tournament to resume has other settings.
        AmbidexError: As `benchmark`. Episodes that were run are stored.
    """
    config = _with_stored_flags(config)
    _check(config)
    candidates, plan = plan_candidates(config)
    rule = _rule(config, candidates, plan)
    fewest = fewest_episodes(len(candidates), len(plan.tasks))
    if rule.budget < fewest and not config.quiet:
        note = (
            f"with {rule.budget} episodes no difference can be shown: {len(candidates)} policies need {fewest} or more."
        )
        print_message(COMMAND, note)
    directory = config.output_dir or default_folder(replace(plan.config, policy=NAME))
    check_output_folder(directory, TOURNAMENT_JSON, resume=config.resume)
    with exclusive_lock(directory):
        run = TournamentRun(replace(config, output_dir=directory), load)
        run.begin(candidates, plan, rule)
        try:
            return run.folder, Ranking.of(run.folder, run.outcomes())
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{run.spent} episodes are stored. Resume with: {run.resume_command}") from None


class TournamentRun:
    """Runs the episodes that the folder of a tournament lacks.

    Attributes:
        folder: Where they are stored.
    """

    def __init__(self, config: BenchmarkConfig, load: LoadPolicy | None) -> None:
        self._config, self._load = config, load
        self.folder = TournamentFolder(config.output_dir or Path())

    @property
    def spent(self) -> int:
        """Episodes that are stored."""
        return sum(len(self.folder.results(index).rows) for index in range(len(self.folder.info.candidates)))

    @property
    def resume_command(self) -> str:
        """The command that resumes the tournament; with code of the user's own it has all flags."""
        if any(is_address(each.policy) for each in self.folder.info.candidates):
            return format_command(COMMAND, replace(self._config, resume=True), brief=True)
        return f"{COMMAND} --resume --output-dir {self.folder.path}"

    def begin(self, candidates: list[Candidate], plan: BenchmarkPlan, rule: Rule) -> None:
        """Write tournament.json, or raise a UsageError if the folder is of other policies or other episodes."""
        paths = tuple(each.checkpoint for each in candidates if each.checkpoint)
        config = replace(self._config, checkpoints=paths or None)
        info = TournamentInfo(
            command=format_command(COMMAND, config, leave_out=NOT_STORED, brief=True),
            config=flags_to_json(config, leave_out=NOT_STORED),
            versions=versions(),
            rule=rule,
            tasks=plan.tasks,
            first_seed=config.seed,
            candidates=tuple(candidates),
        )
        if self.folder.exists:
            _check_same(self.folder.info, info, self.folder.path)
        self.folder.write_info(info)

    def outcomes(self) -> list[Outcomes]:
        """Run all rounds; returns the outcomes of each policy."""
        info = self.folder.info
        return run_rounds(len(info.candidates), len(info.tasks), info.rule, self._outcomes)

    def _outcomes(self, policy: int, seeds: int) -> Outcomes:
        """The outcomes of the first so many seeds of a policy, which are run if they are not stored."""
        stored = self.folder.outcomes(policy, seeds)
        if stored is not None:
            return stored
        summary = self._run(policy, seeds)
        outcomes = self.folder.outcomes(policy, seeds)
        if outcomes is None:
            problem = summary.describe_worker_errors()
            raise AmbidexError(problem, f"Then resume with: {self.resume_command}", path=summary.directory)
        return outcomes

    def _run(self, policy: int, seeds: int) -> BenchmarkSummary:
        results, candidate = self.folder.results(policy), self.folder.info.candidates[policy]
        stored = (results.requested_each or 0) if results.exists else 0
        config = replace(
            candidate.config(self._config),
            episodes=max(seeds, stored),
            output_dir=results.path,
            resume=True,
            quiet=True,
        )
        summary = benchmark(config, load=self._load)
        if not self._config.quiet:
            of = f"{self.spent} of {self.folder.info.rule.budget} episodes"
            print_message(COMMAND, f"{of}, {candidate.name}: {summary.overall.successes}/{summary.overall.n}")
        return summary


def _rule(config: BenchmarkConfig, candidates: list[Candidate], plan: BenchmarkPlan) -> Rule:
    """By default every policy could run `--episodes` in each task."""
    tasks, policies = len(plan.tasks), len(candidates)
    budget = policies * tasks * (plan.config.episodes or 0) if config.budget is None else config.budget
    if budget < policies * tasks:
        problem = f"--budget {budget}: one episode of {policies} policies in {tasks} tasks each is {policies * tasks}."
        hint = f"Give {policies * tasks} or more, or fewer policies."
        raise UsageError(problem, hint, field="budget", got=budget, expected=policies * tasks)
    return Rule(mode=str(config.tournament), budget=budget)


def _with_stored_flags(config: BenchmarkConfig) -> BenchmarkConfig:
    """With --resume and --output-dir alone the flags of the folder, or a UsageError if others are given beside them."""
    folder = config.output_dir
    if not config.resume or folder is None or not TournamentFolder(folder).exists:
        return config
    stored = TournamentFolder(folder).info.settings(COMMAND, BenchmarkConfig)
    if not (config.checkpoints or config.policies):
        if config.tournament not in (None, stored.tournament):
            raise _other_settings(folder, [was_now("--tournament", stored.tournament, config.tournament)])
        _check_no_own_code(stored, folder)
        return flags_of_folder(replace(config, tournament=None), folder, stored, AMOUNT)
    ignored = NOT_STORED | AMOUNT | {"checkpoints"}  # which are compared by content
    if changed := changed_flags(stored, replace(config, output_dir=None), ignore=ignored):
        raise _other_settings(folder, changed)
    return config


def _check_no_own_code(stored: BenchmarkConfig, folder: Path) -> None:
    """Code is run only if the user names it, not a file."""
    own = [policy for policy in stored.policies or () if is_address(policy)]
    if own:
        hint = f"Give all flags again, with --policies {' '.join(stored.policies or ())}."
        raise UsageError(f"--resume: {folder} has results of your own code, {', '.join(own)}.", hint, path=folder)


def _check(config: BenchmarkConfig) -> None:
    check_name("kind of tournament", str(config.tournament), MODES)
    for name, reason in REFUSED.items():
        if flags := config.given((name,)):
            raise UsageError(f"{flags[0]} does not go with --tournament.", reason, field=name)
    if config.suite == SUITE:
        hint = "Run it for each policy, and compare two with report-robustness; or give --perturb AXIS:LEVEL."
        raise UsageError(f"--suite {SUITE} does not go with --tournament.", hint, field="suite")
    if config.episodes is not None and config.budget is not None:
        problem = (
            f"--episodes {config.episodes} (of each policy) and --budget {config.budget} (of all) exclude each other."
        )
        raise UsageError(problem, "Give one of them.", field="budget")


def _check_same(old: TournamentInfo, new: TournamentInfo, folder: Path) -> None:
    found = []
    if new.rule.budget < old.rule.budget:
        found.append(f"--budget was {old.rule.budget}, now {new.rule.budget}: it may only grow")
    was, now = ({(each.name, each.policy, each.fingerprint) for each in info.candidates} for info in (old, new))
    found += [f"{name} is new, or has other weights or code" for name, *_ in sorted(now - was)]
    found += [f"{name} is missing, or had other weights or code" for name, *_ in sorted(was - now)]
    if found:
        raise _other_settings(folder, found)


def _other_settings(folder: Path, found: list[str]) -> UsageError:
    problem = f"--resume: the tournament in {folder} has other settings: {'; '.join(found)}."
    return UsageError(problem, "Give the original flags, or another --output-dir.", path=folder, got=found)
