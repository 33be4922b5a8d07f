"""CPU time of perturbed episodes against clean ones: `python -m ambidex.benchmarks.speed.perturbation_cost`.

Episodes of the scripted expert, measured and ended as in `run-benchmark --video none`. The clean episode of a seed and
those of the axes run together in one process, some control steps of each in turn, so that what else the machine does
slows all of them. Ratios are of sums over seeds, and their intervals those of pairs.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Self

from ambidex.benchmarks.speed.timing import MeasurementError
from ambidex.benchmarks.statistics.mean import Mean
from ambidex.command_line import run
from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.perturbation import LEVELS
from ambidex.envs.perturbations.registry import AXES, DEFAULT_LEVEL
from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import AmbidexError, PerturbationError, UsageError, check_name
from ambidex.flags import Switch
from ambidex.scripted_policies.registry import make_expert

CLEAN = "clean"
TURN = 5  # control steps of one environment before the next one's turn
HEADER = (
    "| axis | episodes | CPU time of an episode | of the axis alone | steps | environment's step [ms] "
    "| expert's step [ms] | reset [ms] |\n|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, kw_only=True)
class PerturbationCostConfig:
    """Compare the CPU time of perturbed and clean episodes."""

    tasks: tuple[str, ...] = ("transfer_cube", "libero_goal/1")
    """The tasks."""
    axes: tuple[str, ...] = tuple(AXES)
    """Axes of perturbation, each measured alone."""
    level: int = DEFAULT_LEVEL
    """Their level, 1 to 5."""
    episodes: int = 20
    """Episodes of each axis and without any, after one to warm up."""
    debug: Switch = False
    """Show tracebacks."""


@dataclass(frozen=True, kw_only=True)
class EpisodeCost:
    """CPU time of an episode.

    Attributes:
        reset_s: The reset of the environment [s].
        env_s: All its steps, with the behaviour that is measured in them [s].
        expert_s: What the expert does, its plans included [s].
        steps: Control steps.
    """

    reset_s: float
    env_s: float
    expert_s: float
    steps: int

    @property
    def total_s(self) -> float:
        """All of it [s]."""
        return self.reset_s + self.env_s + self.expert_s

    def beside(self, clean: Self) -> float:
        """What the clean episode would cost with this reset and steps as expensive as these [s].

        Under a perturbation the expert may need more steps and plan again, which is not what the axis costs.
        """
        return self.reset_s + self.env_s / self.steps * clean.steps + clean.expert_s


Costs = Sequence[EpisodeCost | None]
"""Of each seed; None for an episode that ended with an error."""


def main(config: PerturbationCostConfig) -> None:
    """Print a table for each task.

    Raises:
        UnknownNameError: There is no such task or axis.
        UsageError: A level other than 1 to 5, or no episodes.
        MeasurementError: All clean episodes ended with an error.
    """
    _check(config)
    for task in config.tasks:
        print(f"\n{task}, level {config.level}, {config.episodes} episodes\n\n{HEADER}")
        for row in rows(task, config):
            print(row, flush=True)


def rows(task: str, config: PerturbationCostConfig) -> Iterator[str]:
    """The rows of a task: the clean episodes, then each axis."""
    with ExitStack() as stack:
        runners: dict[str, Runner] = {CLEAN: stack.enter_context(Runner(task))}
        missing: dict[str, str] = {}
        for axis in config.axes:
            try:
                runners[axis] = stack.enter_context(Runner(task, f"{axis}:{config.level}"))
            except PerturbationError as error:
                missing[axis] = error.problem
        costs = measure(runners, config.episodes)
    if not any(costs[CLEAN]):
        raise MeasurementError(f"All clean episodes of {task} ended with an error, so there is nothing to compare.")
    yield clean_row(costs[CLEAN])
    for axis in config.axes:
        yield (
            f"| {axis} | | {missing[axis]} | | | | | |"
            if axis in missing
            else axis_row(axis, costs[axis], costs[CLEAN])
        )


class Runner:
    """Runs episodes of one environment with its expert, as a worker of `run-benchmark` does. Close it at the end.

    Attributes:
        running: Whether the episode has not ended yet.
    """

    def __init__(self, task: str, *perturb: str) -> None:
        self._env: Environment = make(task, perturb=perturb)
        self._env.render(self._env.spec.cameras[0])
        self._expert, self._meter = make_expert(self._env), BehaviourMeter(self._env)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._env.close()

    def begin(self, seed: int) -> None:
        """Start the episode of a seed."""
        self._spent, self._steps, self._failed = dict.fromkeys(("reset", "env", "expert"), 0.0), 0, False
        self.running = self._succeeds(lambda: self._reset(seed))

    def advance(self) -> None:
        """Run some control steps of the episode, or to its end."""
        for _ in range(TURN):
            self.running = self.running and self._succeeds(self._act)

    def cost(self) -> EpisodeCost | None:
        """The cost of the episode; None if it ended with an error."""
        reset_s, env_s, expert_s = self._spent.values()
        return None if self._failed else EpisodeCost(reset_s=reset_s, env_s=env_s, expert_s=expert_s, steps=self._steps)

    def _succeeds(self, work: Callable[[], bool]) -> bool:
        """Whether the episode goes on after this part of it, which may raise an error."""
        try:
            return work()
        except AmbidexError:
            self._failed = True
            return False

    def _reset(self, seed: int) -> bool:
        with self._timed("reset"):
            self._observation = self._env.reset(seed)
        with self._timed("expert"):
            self._expert.reset(self._observation, seed)
        self._meter.reset()
        return True

    def _act(self) -> bool:
        with self._timed("expert"):
            action = self._expert.act(self._observation)
        with self._timed("env"):
            step = self._env.step(action)
            self._meter.add(step)
        self._observation, self._steps = step.observation, self._steps + 1
        return not (step.success or step.truncated)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self._spent[part] += time.process_time() - started


def measure(runners: Mapping[str, Runner], episodes: int) -> dict[str, list[EpisodeCost | None]]:
    """The costs of all seeds; another environment is the first of each turn, so that none has an advantage."""
    costs = {name: list[EpisodeCost | None]() for name in runners}
    run_together(list(runners.values()), FIRST_BENCHMARK_SEED + episodes)  # fills caches, so it does not count
    for seed in range(FIRST_BENCHMARK_SEED, FIRST_BENCHMARK_SEED + episodes):
        run_together(list(runners.values()), seed)
        for name, runner in runners.items():
            costs[name].append(runner.cost())
    return costs


def run_together(runners: Sequence[Runner], seed: int) -> None:
    """Run the episodes of a seed in turns."""
    for runner in runners:
        runner.begin(seed)
    order = deque(runners)
    while any(runner.running for runner in runners):
        for runner in order:
            runner.advance()
        order.rotate(1)


def clean_row(costs: Costs) -> str:
    """The row of the clean episodes, whose CPU time is in milliseconds instead of a ratio."""
    done = [cost for cost in costs if cost is not None]
    return f"| {CLEAN} | {len(done)} | {1e3 * fmean(cost.total_s for cost in done):.0f} ms | | {_figures(done)} |"


def axis_row(axis: str, costs: Costs, clean: Costs) -> str:
    """The row of an axis, of the seeds that ended without an error in both environments."""
    pairs = [(one, other) for one, other in zip(costs, clean, strict=True) if one is not None and other is not None]
    if not pairs:
        return f"| {axis} | 0 | all episodes ended with an error | | | | | |"
    usual = [other.total_s for _, other in pairs]
    whole = ratio_text([one.total_s for one, _ in pairs], usual)
    alone = ratio_text([one.beside(other) for one, other in pairs], usual)
    return f"| {axis} | {len(pairs)} | {whole} | {alone} | {_figures([one for one, _ in pairs])} |"


def ratio_text(costs: Sequence[float], clean: Sequence[float]) -> str:
    """The ratio of two sums, with the 95 % interval of the ratio estimator: Student's t of the residuals of pairs."""
    ratio = sum(costs) / sum(clean)
    interval = Mean.of([cost - ratio * usual for cost, usual in zip(costs, clean, strict=True)]).interval
    if interval is None:
        return f"{ratio:.2f}"
    low, high = (ratio + end / fmean(clean) for end in interval)
    return f"{ratio:.2f} ({low:.2f} to {high:.2f})"


def _figures(costs: Sequence[EpisodeCost]) -> str:
    steps = sum(cost.steps for cost in costs)
    env, expert = (1e3 * sum(times) / steps for times in zip(*((c.env_s, c.expert_s) for c in costs), strict=True))
    reset = fmean([1e3 * cost.reset_s for cost in costs])
    return f"{steps / len(costs):.0f} | {env:.3f} | {expert:.3f} | {reset:.1f}"


def _check(config: PerturbationCostConfig) -> None:
    for axis in config.axes:
        check_name("axis of perturbation", axis, AXES)
    if not 1 <= config.level <= LEVELS or config.episodes < 1:
        problem = f"--level {config.level}, --episodes {config.episodes}: expected 1 to {LEVELS}, and 1 or more."
        raise UsageError(problem, level=config.level, episodes=config.episodes)


if __name__ == "__main__":
    run("perturbation-cost", main, PerturbationCostConfig)
