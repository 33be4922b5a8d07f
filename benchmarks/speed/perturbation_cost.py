"""CPU time of perturbed episodes against clean ones: `python -m ambidex.benchmarks.speed.perturbation_cost`.

Episodes of the scripted expert run as in `run-benchmark --video none`, in one process, which alternates between the
clean environment and those of the axes, seed by seed. Ratios are sums over seeds; their intervals are of pairs.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ambidex.benchmarks.statistics.mean import Mean
from ambidex.command_line import run
from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.perturbation import LEVELS
from ambidex.envs.perturbations.registry import AXES, DEFAULT_LEVEL
from ambidex.envs.rollout import rollout
from ambidex.envs.seeds import FIRST_BENCHMARK_SEED
from ambidex.envs.types import Outcome
from ambidex.errors import PerturbationError, UsageError, check_name
from ambidex.flags import Switch
from ambidex.scripted_policies.registry import make_expert

CLEAN = "clean"
HEADER = (
    "| axis | episodes | CPU time per episode | with the clean number of steps | steps | step [ms] | reset [ms] |\n"
    "|---|---|---|---|---|---|---|"
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
        episode_s: All of it, from before the reset to the result [s].
        reset_s: Another reset of the environment to the same seed [s].
        steps: Control steps.
    """

    episode_s: float
    reset_s: float
    steps: int

    @property
    def step_s(self) -> float:
        """A control step, with the expert's part of it [s]."""
        return (self.episode_s - self.reset_s) / self.steps

    def with_steps(self, steps: int) -> float:
        """What the episode would have cost with another number of steps [s]."""
        return self.reset_s + self.step_s * steps


Costs = Sequence[EpisodeCost | None]
"""Of each seed; None for an episode that ended with an error."""


def main(config: PerturbationCostConfig) -> None:
    """Print a table for each task.

    Raises:
        UnknownNameError: There is no such task or axis.
        UsageError: A level other than 1 to 5, or no episodes.
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
    yield clean_row(costs[CLEAN])
    for axis in config.axes:
        yield f"| {axis} | | not measured: {missing[axis]} | | | | |" if axis in missing else axis_row(
            axis, costs[axis], costs[CLEAN]
        )


class Runner:
    """Runs episodes of one environment with its expert, as a worker of `run-benchmark` does. Close it at the end."""

    def __init__(self, task: str, *perturb: str) -> None:
        self._env: Environment = make(task, perturb=perturb)
        self._env.render(self._env.spec.cameras[0])
        self._expert, self._meter = make_expert(self._env), BehaviourMeter(self._env)

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *exception: object) -> None:
        self._env.close()

    def cost(self, seed: int) -> EpisodeCost | None:
        """Run the episode of a seed, and reset to it once more."""
        started = time.process_time()
        result = rollout(self._env, self._expert, seed, stop_at_success=True, meter=self._meter)
        episode_s = time.process_time() - started
        if result.outcome == Outcome.ERROR:
            return None
        started = time.process_time()
        self._env.reset(seed)
        return EpisodeCost(episode_s=episode_s, reset_s=time.process_time() - started, steps=result.steps)


def measure(runners: dict[str, Runner], episodes: int) -> dict[str, list[EpisodeCost | None]]:
    """The costs of all seeds; every seed begins with another environment, so that none is always the first."""
    names, costs = list(runners), {name: list[EpisodeCost | None]() for name in runners}
    for runner in runners.values():
        runner.cost(FIRST_BENCHMARK_SEED + episodes)  # imports modules and fills caches, so it does not count
    for number in range(episodes):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            costs[name].append(runners[name].cost(FIRST_BENCHMARK_SEED + number))
    return costs


def clean_row(costs: Costs) -> str:
    """The row of the clean episodes, whose CPU time is in milliseconds instead of a ratio."""
    done = [cost for cost in costs if cost is not None]
    mean = _mean([1e3 * cost.episode_s for cost in done])
    return f"| {CLEAN} | {len(done)} | {mean:.0f} ms | | {_figures(done)} |"


def axis_row(axis: str, costs: Costs, clean: Costs) -> str:
    """The row of an axis, of the seeds that ended without an error in both environments."""
    pairs = [(one, other) for one, other in zip(costs, clean, strict=True) if one is not None and other is not None]
    usual = [other.episode_s for _, other in pairs]
    whole = ratio_text([one.episode_s for one, _ in pairs], usual)
    as_long = ratio_text([one.with_steps(other.steps) for one, other in pairs], usual)
    return f"| {axis} | {len(pairs)} | {whole} | {as_long} | {_figures([one for one, _ in pairs])} |"


def ratio_text(costs: Sequence[float], clean: Sequence[float]) -> str:
    """The ratio of two sums, with the 95 % interval of the ratio estimator: Student's t of the residuals of pairs."""
    ratio = sum(costs) / sum(clean)
    interval = Mean.of([cost - ratio * usual for cost, usual in zip(costs, clean, strict=True)]).interval
    if interval is None:
        return f"{ratio:.2f}"
    low, high = (ratio + end / _mean(clean) for end in interval)
    return f"{ratio:.2f} ({low:.2f} to {high:.2f})"


def _figures(costs: Sequence[EpisodeCost]) -> str:
    steps, step = _mean([cost.steps for cost in costs]), _mean([1e3 * cost.step_s for cost in costs])
    return f"{steps:.0f} | {step:.3f} | {_mean([1e3 * cost.reset_s for cost in costs]):.1f}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _check(config: PerturbationCostConfig) -> None:
    for axis in config.axes:
        check_name("axis of perturbation", axis, AXES)
    if not 1 <= config.level <= LEVELS or config.episodes < 1:
        problem = f"--level {config.level}, --episodes {config.episodes}: expected 1 to {LEVELS}, and 1 or more."
        raise UsageError(problem, level=config.level, episodes=config.episodes)


if __name__ == "__main__":
    run("perturbation-cost", main, PerturbationCostConfig)
