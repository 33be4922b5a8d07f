"""Where the time of a control step goes: `python -m ambidex.benchmarks.studies.step_shares`.

The agent is the expert of each task, or a policy that is given by its checkpoint. Nothing is rendered for an expert.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest import mock

import mujoco

from ambidex.command_line import run
from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent
from ambidex.scripted_policies.registry import make_expert

AGENT, CONTROLLER, MUJOCO, STEPPING, CHECKS, OBSERVATION, BEHAVIOUR, REST = PHASES = (
    "agent",
    "controller",
    "MuJoCo",
    "stepping",
    "stage and checks",
    "observation",
    "behaviour",
    "rest",
)
"""Phases of a control step. "stepping" is what surrounds MuJoCo's steps: controls, contacts, stability."""
MUJOCO_STEPS = ("mj_step", "mj_step1", "mj_step2")
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class StepSharesConfig:
    """Measure which parts of a control step take how much of its time."""

    task: tuple[str, ...] = ("transfer_cube", "insertion", "hang_mug", "drawer_put", "libero_goal/1", "libero_10/0")
    """Tasks."""
    control: str | None = None
    """Control mode of the experts: joint or ee; the family's when absent."""
    checkpoint: Path | None = None
    """Checkpoint of a policy that acts in place of the experts."""
    episodes: int = 3
    """Episodes per task, after one that is not measured."""
    quiet: bool = False
    """Print only the table."""
    debug: bool = False
    """Show tracebacks."""


class PhaseClock:
    """Measures the CPU time of phases; a phase within another one does not count as part of it.

    Attributes:
        seconds: Phase -> its CPU time [s].
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    @property
    def phase(self) -> str:
        """The present phase, empty outside of all."""
        return self._open[-1] if self._open else ""

    def timed(self, phase: str, function: Callable[P, R], within: Sequence[str] = ("", *PHASES)) -> Callable[P, R]:
        """The function, whose calls count as a phase if they are made directly within one of some phases.

        The empty phase is outside of all.
        """

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if self.phase not in within:
                return function(*args, **kwargs)
            self._switch()
            self._open.append(phase)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._open.pop()

        return call

    def _switch(self) -> None:
        now = time.process_time()
        if self._open:
            self.seconds[self.phase] += now - self._since
        self._since = now


def main(config: StepSharesConfig) -> None:
    """Measure each task and print a table."""
    print(f"| task | us per step | {' | '.join(PHASES)} |\n|---|{'---:|' * (1 + len(PHASES))}")
    for task in config.task:
        env = make(task, control=config.control, cameras=())
        agent = make_expert(env) if config.checkpoint is None else _policy_agent(config.checkpoint, env)
        print(table_row(task, step_times(env, agent, range(config.episodes))), flush=True)


def step_times(env: Environment, agent: Agent, seeds: Sequence[int]) -> Mapping[str, float]:
    """Mean CPU time that each phase takes in a control step of the agent's episodes [us].

    The environment and the agent cannot be used for anything else afterwards.
    """
    meter, clock = BehaviourMeter(env), PhaseClock()
    rollout(env, agent, seeds[0], meter=meter, stop_at_success=True)  # fills caches, so it does not count
    steps = 0
    measured = clock.timed(REST, rollout)
    with _phases(env, agent, meter, clock):
        for seed in seeds:
            steps += measured(env, agent, seed, meter=meter).steps
    return {phase: 1e6 * clock.seconds[phase] / steps for phase in PHASES}


def table_row(task: str, times: Mapping[str, float]) -> str:
    """The row of a task: the time of a step [us], and the shares of the phases."""
    total = sum(times.values())
    return f"| {task} | {total:,.0f} | {' | '.join(f'{100 * times[phase] / total:.0f} %' for phase in PHASES)} |"


@contextmanager
def _phases(env: Environment, agent: Agent, meter: BehaviourMeter, clock: PhaseClock) -> Iterator[None]:
    """Within this context the clock measures all phases; MuJoCo's steps while an expert plans count as the agent's."""
    for phase, owner, name in _measured(env, agent, meter):
        setattr(owner, name, clock.timed(phase, getattr(owner, name), within=(REST, STEPPING)))
    with ExitStack() as patches:
        for name in MUJOCO_STEPS:
            step = clock.timed(MUJOCO, getattr(mujoco, name), within=(STEPPING,))
            patches.enter_context(mock.patch.object(mujoco, name, step))
        yield


def _measured(env: Environment, agent: Agent, meter: BehaviourMeter) -> Iterator[tuple[str, object, str]]:
    """Phase, object and method of what is measured."""
    yield from ((AGENT, agent, name) for name in ("reset", "act"))
    yield CONTROLLER, env.controller, "joint_action"
    yield from ((STEPPING, env.scene, name) for name in ("advance", "follow"))
    yield CHECKS, env.task, "checks"
    yield CHECKS, env, "stage"
    yield OBSERVATION, env, "observe"
    yield BEHAVIOUR, env.scene, "on_step"
    yield BEHAVIOUR, meter, "add"


def _policy_agent(checkpoint: Path, env: Environment) -> Agent:
    from ambidex.policies.checkpoint import load  # heavy
    from ambidex.policies.serving.local import make_agent

    return make_agent(load(checkpoint), env)


if __name__ == "__main__":
    run("step-shares", main, StepSharesConfig)
