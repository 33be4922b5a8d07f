"""The one rollout loop: an environment, an agent, and a list of what happened."""

import time
from dataclasses import dataclass, field

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.types import NO_CODE, Agent, FloatArray, Observation, Outcome, RolloutResult, Step
from ambidex.errors import EpisodeStartError, RenderingError, SimulationError


@dataclass
class _Log:
    observations: list[Observation]
    stages: list[int]
    steps: list[Step] = field(default_factory=list)
    actions: list[object] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)


def rollout(env: Environment, agent: Agent, seed: int, *, stop_at_success: bool = False) -> RolloutResult:
    """Let an agent act in the episode (task, seed), without pixels unless the agent asks for them.

    Args:
        env: Where to act.
        agent: Who acts.
        seed: Episode seed.
        stop_at_success: End at the first success instead of at the horizon.

    Returns:
        The states, actions and outcome. An exception of the agent or a bad action is an outcome, not an exception;
        so is a seed whose episode cannot begin, which has neither states nor actions.

    Raises:
        MemoryError: The machine's fault and not the agent's: the episode says nothing about it.
        RenderingError: Likewise.
    """
    started = time.perf_counter()
    try:
        first = env.reset(seed)
    except (EpisodeStartError, SimulationError) as exception:  # the seed's fault: it would break every time
        return _result(env, seed, _Log([], []), _described(exception), time.perf_counter() - started)
    log = _Log([first], [env.stage()])
    error = ""
    try:
        agent.reset(first, seed)
        _act(env, agent, log, stop_at_success)
    except (MemoryError, RenderingError):
        raise
    except Exception as exception:  # one bad episode is one row, not a dead run
        error = _described(exception)
    return _result(env, seed, log, error, time.perf_counter() - started)


def _act(env: Environment, agent: Agent, log: _Log, stop_at_success: bool) -> None:
    while True:
        action = agent.act(log.observations[-1])
        step = env.step(action)
        log.actions.append(np.asarray(action, dtype=np.float32))
        log.codes.append(getattr(agent, "code", NO_CODE))
        log.steps.append(step)
        log.observations.append(step.observation)
        log.stages.append(step.stage)
        if step.truncated or (step.success and stop_at_success):
            return


def _result(env: Environment, seed: int, log: _Log, error: str, wall_s: float) -> RolloutResult:
    succeeded = bool(log.steps) and log.steps[-1].success and not error
    outcome = Outcome.ERROR if error else Outcome.SUCCESS if succeeded else Outcome.FAILURE
    width, joints = len(env.spec.action_names), len(env.spec.joint_names)
    return RolloutResult(
        spec=env.spec,
        seed=seed,
        outcome=outcome,
        stage=max(log.stages, default=0),
        reason=error or ("" if succeeded else _unmet(log)),
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
    )


def _rows(rows: list[FloatArray], width: int) -> FloatArray:
    """Shape (rows, width); of an episode that never began (0, width)."""
    return np.asarray(rows, dtype=np.float64).reshape(-1, width)


def _described(exception: Exception) -> str:
    return f"{type(exception).__name__}: {exception}"


def _unmet(log: _Log) -> str:
    unmet = [name for name, holds in log.steps[-1].checks.items() if not holds]
    return "at the end not: " + "; ".join(unmet) if unmet else "checks did not hold long enough"
