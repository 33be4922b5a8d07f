"""Who says whether a rollout succeeded: the operator at the keyboard, the robot, or a file."""

import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ambidex.atomic_files import read_complete_lines
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.robot.config import COMMAND
from ambidex.benchmarks.robot.plan import ASK, ROBOT
from ambidex.benchmarks.robot.protocol import Verdict
from ambidex.benchmarks.robot.rollout import RobotRollout
from ambidex.codec import Count
from ambidex.command_line import print_message
from ambidex.errors import DatasetError, UsageError
from ambidex.output_folder import row_from_line
from ambidex.text import write_message

POLL_S = 0.5  # between looks at a file of verdicts [s]
SUCCESS, FAILURE = ("s", "success", "y", "yes"), ("f", "failure", "n", "no")
GO = "g"
UNDO_HELP = ", u take back the last verdict"


class Choice(StrEnum):
    """What an operator wants instead of giving a verdict."""

    CONTINUE = "continue"
    UNDO = "u"
    REPEAT = "r"
    QUIT = "q"


class VerdictSource(Protocol):
    """Says whether rollouts succeeded."""

    @property
    def interactive(self) -> bool:
        """An operator answers, and decides after errors whether to continue."""
        ...

    def ready(self, announcement: str, *, moves: bool, can_undo: bool) -> Choice:
        """Before the arm moves, and after the last rollout: continue, take back the last verdict, or quit."""
        ...

    def ended(self) -> bool:
        """During a rollout: whether the operator ends it."""
        ...

    def judge(
        self, row: EpisodeRow, rollout: RobotRollout | None, stages: tuple[str, ...], *, can_undo: bool
    ) -> Verdict | Choice:
        """After a rollout: its verdict, or what is to be done instead; `rollout` is None for an earlier one."""
        ...


def make_source(kind: str) -> VerdictSource:
    """The source that --verdicts names.

    Raises:
        UsageError: The operator is to be asked, and there is no terminal; or a file is a folder.
    """
    if kind == ROBOT:
        return RobotVerdicts()
    if kind != ASK:
        return FileVerdicts(Path(kind))
    if sys.stdin is None or not sys.stdin.isatty():
        hint = (
            "Run the command in a terminal. Or give --verdicts FILE, to which you or a program add a line for each "
            "rollout, or --verdicts robot if the robot can tell."
        )
        raise UsageError("The operator is asked after each rollout, and there is no terminal to ask.", hint, got=kind)
    return Keyboard(lambda: _line_waits(sys.stdin.fileno()))


def _line_waits(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


@dataclass(frozen=True)
class Keyboard:
    """Asks the operator on stderr, and reads lines from stdin.

    Attributes:
        waiting: Whether a line has been typed.
        read: Reads a line; empty at the end of the input.
        interactive: It is.
    """

    waiting: Callable[[], bool] = lambda: False
    read: Callable[[], str] = lambda: sys.stdin.readline()
    interactive: bool = True

    def ready(self, announcement: str, *, moves: bool, can_undo: bool) -> Choice:
        """Pressing Enter once too often must not make the arm move, so that takes a letter."""
        undo, (go, label) = UNDO_HELP if can_undo else "", (GO, "g go") if moves else ("", "Enter finish")
        leave = ", q quit" if moves else ""
        while True:
            answer = self._ask(f"{announcement} [{label}{undo}{leave}] ")
            if answer == go:
                return Choice.CONTINUE
            if answer == Choice.QUIT or (answer == Choice.UNDO and can_undo):
                return Choice(answer)
            _say_unknown(answer)

    def ended(self) -> bool:
        return self.waiting() and bool(self.read())

    def judge(
        self, row: EpisodeRow, rollout: RobotRollout | None, stages: tuple[str, ...], *, can_undo: bool
    ) -> Verdict | Choice:
        again = "" if rollout else "again: "
        undo = UNDO_HELP if can_undo else ""
        while True:
            question = f"Rollout {row.seed}, {again}success? [s success, f failure, r run it again{undo}, q quit] "
            answer = self._ask(question)
            if answer in (Choice.REPEAT, Choice.QUIT) or (answer == Choice.UNDO and can_undo):
                return Choice(answer)
            if answer in SUCCESS:
                return Verdict(success=True, stage=len(stages) - 1, note=self._note())
            if answer in FAILURE:
                return Verdict(success=False, stage=self._stage(stages), note=self._note())
            _say_unknown(answer)

    def _stage(self, stages: tuple[str, ...]) -> int:
        """Asked for unless the goal is the only stage; a failure may have reached the goal and lost it."""
        if len(stages) <= 2:
            return 0
        listed = ", ".join(f"{index}: {name}" for index, name in enumerate(stages))
        while True:
            answer = self._ask(f"Highest stage reached? [{listed}; Enter for 0] ")
            if answer == "" or (answer.isdecimal() and int(answer) < len(stages)):
                return int(answer or 0)
            if answer in stages:
                return stages.index(answer)
            _say_unknown(answer)

    def _note(self) -> str:
        return self._ask("Note? [Enter for none] ", keep_case=True)

    def _ask(self, question: str, *, keep_case: bool = False) -> str:
        write_message(sys.stderr, question)
        line = self.read()
        if not line:
            raise KeyboardInterrupt("The input has ended.")
        return line.strip() if keep_case else line.strip().lower()


def _say_unknown(answer: str) -> None:
    write_message(sys.stderr, f"{answer or 'Enter'} is none of the answers in brackets.\n")


class RobotVerdicts:
    """Takes the robot's own verdicts."""

    interactive = False

    def ready(self, announcement: str, *, moves: bool, can_undo: bool) -> Choice:
        return Choice.CONTINUE

    def ended(self) -> bool:
        return False

    def judge(
        self, row: EpisodeRow, rollout: RobotRollout | None, stages: tuple[str, ...], *, can_undo: bool
    ) -> Verdict | Choice:
        found = rollout.verdict if rollout else None
        return found or Verdict(success=False, stage=0, reason="the robot gave no verdict until the horizon")


@dataclass(frozen=True, kw_only=True)
class FileVerdict:
    """A line of a file of verdicts, as JSON; `stage` is a name or a number, and the goal if there is none."""

    seed: Count
    success: bool
    stage: str | int | None = None
    note: str = ""


@dataclass(frozen=True)
class FileVerdicts:
    """Takes verdicts from a file of JSON lines, and waits until the line of a rollout is there; the last one counts."""

    path: Path
    sleep: Callable[[float], None] = time.sleep
    interactive: bool = False

    def ready(self, announcement: str, *, moves: bool, can_undo: bool) -> Choice:
        self._lines()  # a damaged file is reported before the arm moves
        return Choice.CONTINUE

    def ended(self) -> bool:
        return False

    def judge(
        self, row: EpisodeRow, rollout: RobotRollout | None, stages: tuple[str, ...], *, can_undo: bool
    ) -> Verdict | Choice:
        said = ""
        while True:
            try:
                found, missing = self._verdict(row.seed, stages), self._missing(row.seed, stages)
            except DatasetError as error:  # a mistake in the file must not cost a rollout
                found, missing = None, str(error)
            if found is not None:
                return found
            if missing != said:
                print_message(COMMAND, missing)
            said = missing
            self.sleep(POLL_S)

    def _missing(self, seed: int, stages: tuple[str, ...]) -> str:
        example = f'{{"seed": {seed}, "success": true, "stage": "{stages[-1]}", "note": ""}}'
        return f"Waiting for a line in {self.path}, such as {example}"

    def _verdict(self, seed: int, stages: tuple[str, ...]) -> Verdict | None:
        line = self._lines().get(seed)
        if line is None:
            return None
        return Verdict(success=line.success, stage=self._stage(line, stages), note=line.note)

    def _stage(self, line: FileVerdict, stages: tuple[str, ...]) -> int:
        stage = (len(stages) - 1 if line.success else 0) if line.stage is None else line.stage
        known = stages.index(stage) if isinstance(stage, str) and stage in stages else stage
        if not isinstance(known, int) or not 0 <= known < len(stages):
            problem = f"{self.path}: seed {line.seed} has the stage {stage!r}, expected one of {', '.join(stages)}."
            raise DatasetError(problem, "Correct the line.", path=self.path, got=stage)
        return known

    def _lines(self) -> dict[int, FileVerdict]:
        lines = (row_from_line(FileVerdict, line, self.path.name) for line in read_complete_lines(self.path))
        return {line.seed: line for line in lines}
