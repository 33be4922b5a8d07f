"""Runs evaluations on a robot; `evaluate` is what `evaluate-robot` does, from Python."""

import sys
import time
import traceback
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from ambidex.benchmarks.evaluation.own_policy import code_info
from ambidex.benchmarks.evaluation.policy_loading import LoadPolicy
from ambidex.benchmarks.evaluation.resume import info_differences, raise_if
from ambidex.benchmarks.evaluation.summary import BenchmarkSummary, Timings
from ambidex.benchmarks.gallery.report import write_report
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo, describe_hardware
from ambidex.benchmarks.results.row import EpisodeRow, code_runs
from ambidex.benchmarks.robot.agents import RobotPolicy, agent_of, open_policy
from ambidex.benchmarks.robot.config import COMMAND, RobotConfig
from ambidex.benchmarks.robot.connection import RobotConnection, RobotFactory, RobotThread, StopFailedError
from ambidex.benchmarks.robot.plan import ASK, NOT_STORED, ROBOT, RobotPlan, check_resume, make_plan
from ambidex.benchmarks.robot.protocol import Verdict
from ambidex.benchmarks.robot.rollout import Clock, RatedClock, RobotRollout, RolloutRunner
from ambidex.benchmarks.robot.safety import RobotError
from ambidex.benchmarks.robot.verdicts import Choice, VerdictSource, make_source
from ambidex.benchmarks.robot.video import RolloutVideo, pending_video
from ambidex.command_line import print_message
from ambidex.envs.types import Outcome
from ambidex.errors import AmbidexError, UsageError, check_name
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.recorders.dataset.layout import VIDEOS, task_folder
from ambidex.text import first_line, write_message

MAX_ERRORS = 3  # rollouts one after the other that end with an error, if there is no operator to decide


def evaluate(
    config: RobotConfig,
    *,
    factory: RobotFactory | None = None,
    load: LoadPolicy | None = None,
    verdicts: VerdictSource | None = None,
    clock: Clock = RatedClock,
) -> BenchmarkSummary:
    """Run the rollouts that are not in the results folder yet.

    Args:
        config: What to evaluate, and on which robot.
        factory: Connects to the robot; None for what `config.robot` names.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.
        verdicts: Says whether rollouts succeeded; None for what `config.verdicts` names.
        clock: Control rate -> the clock of a rollout.

    Returns:
        The rows of all rollouts and where they are stored; printed, it is the table of success rates.

    Raises:
        UsageError: A flag is missing, unknown or impossible; the policy cannot act on this robot; or the results to
            resume were made with other settings.
        RobotError: The robot cannot be connected.
        StopFailedError: The arm could not be stopped. Its rollout is stored as an error.
        DatasetError: A file cannot be written. Rollouts that were judged are stored.
        KeyboardInterrupt: Likewise; its message says how to resume.
    """
    plan = make_plan(config, factory)
    source = verdicts or make_source(str(plan.config.verdicts))
    check_output_folder(plan.directory, BENCHMARK_JSON, resume=config.resume)
    with exclusive_lock(plan.directory), ExitStack() as stack:
        results = ResultsFolder(plan.directory)
        results.remove_leftovers()
        stack.callback(results.remove_leftovers)
        check_output_folder(plan.directory, BENCHMARK_JSON, resume=config.resume)  # again, now that it is locked
        raise_if(check_resume(plan, results), results)
        if plan.checkpoint_note and not config.quiet:
            print_message(COMMAND, plan.checkpoint_note)
        return Evaluation(plan, results, source, clock).run(load)


class Evaluation:
    """Runs the rollouts that a results folder lacks, and stores each row once it is judged.

    The folder must be locked by this process; the other arguments are those of `evaluate`.
    """

    def __init__(self, plan: RobotPlan, results: ResultsFolder, source: VerdictSource, clock: Clock) -> None:
        self._plan, self._config, self._results = plan, plan.config, results
        self._source, self._clock = source, clock
        self._history = results.read_rows()  # what can be taken back, oldest first
        self._errors = 0  # in a row
        self._run_seeds: set[int] = set()  # of this session
        self._started = time.perf_counter()
        self._robot: RobotConnection | None = None

    @property
    def _next_seed(self) -> int | None:
        stored = {row.seed for row in self._results.rows}
        return next((seed for seed in self._plan.seeds if seed not in stored), None)

    def run(self, load: LoadPolicy | None) -> BenchmarkSummary:
        """Run the remaining rollouts, and write summary.json and report.html; `load` is as in `evaluate`."""
        try:
            if self._next_seed is not None:
                with open_policy(self._plan, load) as policy:
                    self._run_with(policy)
        except KeyboardInterrupt as interrupt:
            stored = (
                f"{len(self._results.rows)} of {self._config.rollouts} rollouts are stored in {self._results.path}."
            )
            text = f"{interrupt} {stored} Resume with: {self._plan.resume_command}".strip()
            raise KeyboardInterrupt(text) from None
        self._remove_videos()
        return replace(self._write_summary(), report=write_report(self._results))

    def _run_with(self, policy: RobotPolicy) -> None:
        thread, timeout_s = RobotThread(), self._config.call_timeout
        self._connect = partial(RobotConnection, self._plan.factory, policy.request, timeout_s, thread)
        try:
            robot = self._robot = self._connect()
            self._stored_spec = self._plan.spec(robot.spec)
            self._spec = replace(
                self._stored_spec, instruction=self._config.instruction or self._stored_spec.instruction
            )
            self._check_robot(robot)
            self._agents, info = policy.connect(robot, self._spec, self._info())
            if self._results.exists:
                raise_if(info_differences(self._results.info, info), self._results)
            self._results.write_info(info)
            self._agent = agent_of(self._agents, robot, self._spec)
            self._loop()
        finally:
            self._disconnect()
            with suppress(AmbidexError):  # its own error, such as a full disk, must not replace another one
                self._write_summary()

    def _loop(self) -> None:
        while True:
            seed = self._next_seed
            text, can_undo = self._announcement(seed), bool(self._history)
            choice = self._source.ready(text, moves=seed is not None, can_undo=can_undo)
            if choice is Choice.UNDO:
                self._take_back()
            elif choice is Choice.QUIT and seed is not None:
                raise KeyboardInterrupt
            elif seed is None:
                return
            else:
                self._rollout(seed)

    def _announcement(self, seed: int | None) -> str:
        if seed is None:
            return "All rollouts are done."
        number = seed - self._config.seed + 1
        unseen = f", unseen {' and '.join(self._config.unseen)}" if self._config.unseen else ""
        name = f"Rollout {seed}, {number} of {self._config.rollouts}{unseen}"
        return f"{name}: lay out the scene. Enter ends it early."

    def _rollout(self, seed: int) -> None:
        folder = self._results.path / VIDEOS / task_folder(self._spec.task)
        with RolloutVideo(folder, self._spec, seed, self._video_cameras) as video:
            result = self._attempt(seed, video)
        self._run_seeds.add(seed)
        row = self._agents.complete(self._row(result))
        if not result.error:
            self._errors = 0
            self._judge(row, result)
            return
        self._store(row)
        self._errors += 1
        if result.robot_failed:
            self._disconnect()
        if self._errors == MAX_ERRORS and not self._source.interactive:
            problem = f"{MAX_ERRORS} rollouts one after the other ended with an error. {first_line(result.error)}"
            hint = f"Correct the cause, then resume with: {self._plan.resume_command}"
            raise AmbidexError(problem, hint, path=self._results.path, reason=result.error)

    def _attempt(self, seed: int, video: RolloutVideo) -> RobotRollout:
        """Run a rollout, with a new connection after an error of the robot; a failed one is an error of the rollout."""
        if self._robot is None:
            try:
                self._robot = self._connect()
                self._check_unchanged(self._robot)
            except (RobotError, UsageError) as error:
                text, trace = f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))
                return RobotRollout(key=(self._spec.task, seed), error=text, traceback=trace, robot_failed=True)
        runner = RolloutRunner(
            robot=self._robot,
            agent=self._agent,
            spec=self._spec,
            clock=self._clock,
            judge=self._config.verdicts == ROBOT,
            ended=self._source.ended,
        )
        try:
            result = runner.run(seed, video)
        except StopFailedError as error:
            self._store(self._row(replace(runner.last, error=f"{runner.last.error} {error}".strip())))
            raise
        self._agents.check()
        return result

    def _judge(self, row: EpisodeRow, rollout: RobotRollout | None) -> None:
        """Store a row with its verdict; or leave it out, so that the rollout is run again."""
        while True:
            answer = self._source.judge(row, rollout, self._spec.stages, can_undo=bool(self._history))
            if isinstance(answer, Verdict):
                self._store(judged(row, answer, self._spec.stages))
                return
            if answer is Choice.QUIT:
                raise KeyboardInterrupt(f"Rollout {row.seed} has no verdict, and will be run again.")
            if answer is Choice.REPEAT:
                return
            self._take_back()

    def _take_back(self) -> None:
        """Take the last row out, and ask for its verdict again; a rollout that ended with an error is run again."""
        row = self._history.pop()
        self._results.remove(row)
        with suppress(FileNotFoundError):
            self._results.video_path(row).rename(self._pending(row))
        if row.outcome is Outcome.ERROR:
            self._say(f"Rollout {row.seed}, which ended with an error, will be run again.")
        else:
            self._judge(row, None)

    def _store(self, row: EpisodeRow) -> None:
        with suppress(FileNotFoundError):  # no frame was added
            self._pending(row).rename(self._results.video_path(row))
        self._results.append(row)
        self._history.append(row)
        late = f", {row.late_steps} of them late" if row.late_steps else ""
        self._say(f"Rollout {row.seed}: {row.outcome}, {row.steps} steps{late}. {first_line(row.error)}".strip())
        if self._config.debug and row.error:
            write_message(sys.stderr, f"{row.error}\n")

    def _pending(self, row: EpisodeRow) -> Path:
        return pending_video(self._results.video_path(row).parent, row.seed)

    def _remove_videos(self) -> None:
        """Remove the videos of successes if only those of failures are kept."""
        for row in self._results.rows if self._config.video == "failures" else ():
            if row.success:
                self._results.video_path(row).unlink(missing_ok=True)

    def _row(self, result: RobotRollout) -> EpisodeRow:
        (task, seed), spec = result.key, self._spec
        return EpisodeRow(
            task=task,
            seed=seed,
            outcome=Outcome.ERROR if result.error else Outcome.FAILURE,
            stage=0,
            stage_name=spec.stages[0],
            steps=result.steps,
            checks={},
            reason=result.error,
            initial_state_sha256="",
            wall_s=round(result.wall_s, 3),
            policy=self._config.policy_name or self._config.policy,
            execution=self._agents.execution,
            versions=versions(),
            error=f"{result.error}\n{result.traceback}".strip(),
            codes=code_runs(result.codes),
            late_steps=result.late_steps,
            unseen=self._config.unseen or (),
            instruction="" if spec.instruction == self._stored_spec.instruction else spec.instruction,
        )

    def _info(self) -> BenchmarkInfo:
        """The content of benchmark.json without the policy."""
        config = self._config
        return BenchmarkInfo(
            policy=config.policy_name or config.policy,
            execution="",
            command=format_command(COMMAND, config, leave_out=NOT_STORED, brief=True),
            checkpoint=None,
            serving=None,
            env_specs={self._stored_spec.task: self._stored_spec},
            versions=versions(),
            machine=describe_hardware(),
            robot=code_info(self._plan.factory),
            verdicts=str(config.verdicts) if config.verdicts in (ASK, ROBOT) else "file",
            config=flags_to_json(config, leave_out=NOT_STORED),
        )

    def _check_robot(self, robot: RobotConnection) -> None:
        """Raise a UsageError unless the robot can judge if it must, and has the cameras of videos."""
        if self._config.verdicts == ROBOT and not robot.judges:
            hint = "Give --verdicts ask, or a file; or add a method verdict, see docs/robot.md."
            raise UsageError("--verdicts robot: this robot cannot tell whether the task is done.", hint)
        cameras = self._config.video_cameras
        for camera in cameras or ():
            check_name("camera of the robot", camera, self._spec.cameras)
        chosen = self._spec.cameras[:1] if cameras is None else cameras
        self._video_cameras = () if self._config.video == "none" else chosen

    def _check_unchanged(self, robot: RobotConnection) -> None:
        if found := self._stored_spec.differences(self._plan.spec(robot.spec)):
            raise RobotError(f"The robot has changed since the evaluation began: {'; '.join(found)}.", got=found)

    def _disconnect(self) -> None:
        if self._robot is not None:
            self._robot.close()
            self._robot = None

    def _write_summary(self) -> BenchmarkSummary:
        results = self._results
        timings = Timings(episodes=len(self._run_seeds), wall_s=time.perf_counter() - self._started, workers=1)
        summary = BenchmarkSummary(
            directory=results.path,
            info=results.info,
            rows=tuple(results.rows),
            requested=self._config.rollouts,
            suite=None,
            timings=timings if self._run_seeds else Timings.of_last_run(results) or timings,
            worker_errors=(),
            resume_command=self._plan.resume_command,
        )
        results.write_summary(summary.to_dict())
        return summary

    def _say(self, text: str) -> None:
        if not self._config.quiet:
            print_message(COMMAND, text)


def judged(row: EpisodeRow, verdict: Verdict, stages: tuple[str, ...]) -> EpisodeRow:
    """The row of a rollout with its verdict."""
    reason = "" if verdict.success else verdict.reason or "failed in the operator's judgement"
    return replace(
        row,
        outcome=Outcome.SUCCESS if verdict.success else Outcome.FAILURE,
        stage=verdict.stage,
        stage_name=stages[verdict.stage],
        checks=dict(verdict.checks),
        reason=reason,
        note=verdict.note,
    )
