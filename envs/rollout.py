"""The rollout loop: an agent acts in an environment until the episode ends."""

import time
import traceback
from dataclasses import dataclass, field

import numpy as np

from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment
from ambidex.envs.types import NO_CODE, Agent, CodedAgent, FloatArray, Observation, Outcome, RolloutResult, Step
from ambidex.errors import EpisodeStartError, RenderingError, SimulationError


@dataclass
class _Log:
    """What happened so far: one more observation and stage than steps."""

    observations: list[Observation]
    stages: list[int]
    steps: list[Step] = field(default_factory=list)
    actions: list[object] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)


def rollout(
    env: Environment,
    agent: Agent,
    seed: int,
    *,
    stop_at_success: bool = False,
    initial_state: FloatArray | None = None,
    event_step: int | None = None,
    meter: BehaviourMeter | None = None,
) -> RolloutResult:
    """Run an agent in the episode (task, seed). Nothing is rendered unless the agent asks for images.

    Args:
        env: Environment to act in.
        agent: Agent that acts.
        seed: Episode seed.
        stop_at_success: End at the first success instead of at the horizon.
        initial_state: A stored state (S,) to start from instead of the initial state of the seed.
        event_step: 0 if a perturbation `event` has set in before that state; None if it does when its stage is reached.
        meter: Measures the agent's behaviour; it was made for this environment.

    Returns:
        States, actions and outcome. An exception of the agent or an invalid action is an outcome, not an exception;
        so is a seed whose reset fails, which has neither states nor actions.

    Raises:
        MemoryError: The machine is at fault, not the agent, so the episode is no result.
        RenderingError: Likewise.
    """
    started = time.perf_counter()
    try:
        first = env.reset(seed) if initial_state is None else env.restore(initial_state, seed, event_step)
    except (EpisodeStartError, SimulationError) as exception:  # this seed fails every time
        return _result(env, seed, _Log([], []), exception, time.perf_counter() - started, None)
    log = _Log([first], [env.stage()])
    error: Exception | None = None
    try:
        agent.reset(first, seed)
        if meter is not None:
            meter.reset()
        _act(env, agent, log, stop_at_success, meter)
    except (MemoryError, RenderingError):
        raise
    except Exception as exception:  # an episode that fails is one row and does not end the run
        error = exception
    return _result(env, seed, log, error, time.perf_counter() - started, meter)


def _act(env: Environment, agent: Agent, log: _Log, stop_at_success: bool, meter: BehaviourMeter | None) -> None:
    coded = agent if isinstance(agent, CodedAgent) else None
    while True:
        action = agent.act(log.observations[-1])
        step = env.step(action)
        if meter is not None:
            meter.add(step)
        log.actions.append(np.asarray(action, dtype=np.float32))
        log.codes.append(coded.code if coded is not None else NO_CODE)
        log.steps.append(step)
        log.observations.append(step.observation)
        log.stages.append(step.stage)
        if step.truncated or (step.success and stop_at_success):
            return


def _result(
    env: Environment, seed: int, log: _Log, error: Exception | None, wall_s: float, meter: BehaviourMeter | None
) -> RolloutResult:
    succeeded = bool(log.steps) and log.steps[-1].success and error is None
    outcome = Outcome.ERROR if error else Outcome.SUCCESS if succeeded else Outcome.FAILURE
    width, joints = len(env.spec.action_names), len(env.spec.joint_names)
    return RolloutResult(
        spec=env.spec,
        seed=seed,
        outcome=outcome,
        stage=max(log.stages, default=0),
        reason=f"{type(error).__name__}: {error}" if error else "" if succeeded else failed_checks(log.steps[-1]),
        checks=dict(log.steps[-1].checks) if log.steps else {},
        states=_rows([o.state for o in log.observations], env.scene.state().size),
        actions=np.asarray(log.actions, dtype=np.float32).reshape(-1, width),
        codes=np.asarray(log.codes, dtype=np.int32),
        joint_actions=np.asarray([s.joint_action for s in log.steps], dtype=np.float32).reshape(-1, joints),
        qpos=_rows([o.qpos for o in log.observations], joints).astype(np.float32),
        qvel=_rows([o.qvel for o in log.observations], joints).astype(np.float32),
        objects=_rows([o.objects for o in log.observations], 7 * len(env.spec.object_names)).astype(np.float32),
        stages=np.asarray(log.stages, dtype=np.int8),
        wall_s=wall_s,
        traceback="".join(traceback.format_exception(error)) if error else "",
        perturbed=env.perturbed,
        behaviour=meter.behaviour(log.stages) if meter is not None and error is None else None,
    )


def _rows(rows: list[FloatArray], width: int) -> FloatArray:
    """Shape (rows, width), (0, width) if there are none."""
    return np.asarray(rows, dtype=np.float64).reshape(-1, width)


def failed_checks(step: Step) -> str:
    """Why an episode that ended with this step is no success."""
    failed = [name for name, holds in step.checks.items() if not holds]
    return "at the end not: " + "; ".join(failed) if failed else "checks did not hold long enough"
