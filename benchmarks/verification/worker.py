"""What a worker process of `verify-results` does: plays back stored actions, and compares states and rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.states import EpisodeStates, taken_over_event, taken_over_state
from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.perturbations.registry import event_before
from ambidex.envs.rollout import rollout
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, Observation, Outcome, RolloutResult
from ambidex.errors import DatasetError, check_name
from ambidex.output_folder import versions
from ambidex.recorders.dataset.environment import initial_state_difference, stored_definition, stored_environment
from ambidex.recorders.verification.checks import ReplayedStates, draw_differences
from ambidex.recorders.verification.worker import compare_states

COMPARED = ("outcome", "stage", "steps", "checks", "reason", "initial_state_sha256", "solved_at_start")
"""Fields of a row that states and actions determine."""
NOT_COMPARED = "behaviour is not compared where states differ: contact forces depend on the last bits"
SAME = ReplayedStates(first_difference=None, largest_difference=0.0, largest_step_difference=0.0)


@dataclass(frozen=True, kw_only=True)
class Playback:
    """The result of playing back an episode from its stored actions.

    Attributes:
        states: How the stored states differ from those of the playback.
        differences: One line per way in which the row differs from that of the playback, or the first state from the
            initial state of the seed.
        notes: What could not be compared, and differences that need not matter, e.g. the MuJoCo version.
    """

    states: ReplayedStates
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def reproduces(self) -> bool:
        """The states, up to other arithmetic, and the row are those of the playback."""
        return self.states.consistent and not self.differences


class PlaybackWorker:
    """Plays back one episode after the other, with one environment at a time.

    Args:
        specs: Task -> spec of its environment.
        directory: The results folder.
    """

    def __init__(self, specs: Mapping[str, EnvSpec], directory: Path) -> None:
        self._specs, self._results = specs, ResultsFolder(directory)
        self._env: Environment | None = None
        self._meter: BehaviourMeter | None = None

    def __call__(self, row: EpisodeRow) -> Playback:
        """Play back an episode.

        Raises:
            DatasetError: Its states are missing, damaged, or of another version of the scene.
            UnknownNameError: The results folder has no such task.
        """
        path = self._results.states_path(row.task, row.seed)
        env = self._environment(row.task, path)
        if not row.has_states:  # the reset failed, so it should again
            result = rollout(env, StoredActions([]), row.seed)
            return Playback(states=SAME, differences=tuple(_row_differences(row, result)), notes=self._notes(row, env))
        stored = EpisodeStates.read(path)
        _check_fits(path, stored, env)
        first, agent = stored.states[0], StoredActions(stored.actions)
        moved = self._first_state_difference(row, env, first)
        result = rollout(
            env,
            agent,
            row.seed,
            stop_at_success=True,
            initial_state=first,
            event_step=self._event_before(row),
            meter=self._meter,
        )
        stages = [] if np.array_equal(result.stages, stored.stages) else ["the stages of the steps differ"]
        states = compare_states(env, stored.states, stored.actions, result.states)
        behaviour = _behaviour_differences(row, result) if states.same else []
        return Playback(
            states=states,
            differences=(*moved, *_row_differences(row, result), *stages, *behaviour),
            notes=(*self._notes(row, env), *([] if states.same or not row.behaviour else [NOT_COMPARED])),
        )

    def _environment(self, task: str, path: Path) -> Environment:
        """The environment of a task; without its file of initial states, if that is missing."""
        if self._env is None or self._env.spec.task != task:
            check_name("task", task, self._specs)
            spec = replace(self._specs[task], cameras=())
            missing = bool(spec.init_states) and not Path(spec.init_states).is_file()
            stored = stored_definition(spec, path)
            self._env = stored_environment(spec, path) if missing else make_from_spec(spec, stored)
            self._meter = BehaviourMeter(self._env)
        return self._env

    def _first_state_difference(self, row: EpisodeRow, env: Environment, first: FloatArray) -> list[str]:
        """That the first state is not that of the seed or of the failure that was taken over, if these are known."""
        take_over = self._results.info.take_over
        if take_over is None:
            return initial_state_difference(env, row.seed, first) if self._has_initial_states(env) else []
        same = not self._has_source(row) or np.array_equal(first, taken_over_state(take_over, row.task, row.seed))
        return [] if same else [f"the first state is not that of step {take_over.step} in {take_over.source}"]

    def _event_before(self, row: EpisodeRow) -> int | None:
        """0 if the event had set in before the failure was taken over, by that failure or, if it is gone, the row."""
        take_over = self._results.info.take_over
        if take_over is None or self._has_source(row):
            return taken_over_event(take_over, *row.key) if take_over else None
        return event_before(row.perturbed)

    def _has_source(self, row: EpisodeRow) -> bool:
        """Whether the failure that was taken over is still stored."""
        take_over = self._results.info.take_over
        return take_over is not None and ResultsFolder(Path(take_over.source)).states_path(*row.key).is_file()

    def _has_initial_states(self, env: Environment) -> bool:
        return bool(env.spec.init_states) or not self._specs[env.spec.task].init_states

    def _notes(self, row: EpisodeRow, env: Environment) -> tuple[str, ...]:
        notes = []
        if row.model_sha256 not in ("", env.scene.model_sha256):
            notes.append("run in another version of the model")
        ran, installed = row.versions.get("mujoco"), versions()["mujoco"]
        if ran != installed:
            notes.append(f"run with MuJoCo {ran}, this is {installed}")
        if not self._has_initial_states(env):
            notes.append(
                f"initial states are not compared with their seeds: {self._specs[row.task].init_states} is missing"
            )
        if (take_over := self._results.info.take_over) and not self._has_source(row):
            notes.append(f"the first state is not compared with step {take_over.step} of {take_over.source}: missing")
        return tuple(notes)


class StoredActions:
    """Agent that repeats stored actions, shape (T, A) float32."""

    def __init__(self, actions: Iterable[Float32Array]) -> None:
        self._actions = iter(actions)

    def reset(self, observation: Observation, seed: int) -> None:
        """Nothing to do: one agent plays back one episode."""

    def act(self, observation: Observation) -> Float32Array:
        action = next(self._actions, None)
        if action is None:  # an error ended the episode here
            raise DatasetError("No further actions are stored.")
        return action


def _row_differences(row: EpisodeRow, result: RolloutResult) -> list[str]:
    """One line per compared field; the error of an agent or a policy cannot be played back, only that it ends there."""
    now = EpisodeRow.of(result, policy=row.policy, execution=row.execution, model_sha256=row.model_sha256)
    agent_failed = row.has_states and row.outcome is Outcome.ERROR
    names = [name for name in COMPARED if not (agent_failed and name == "reason")]
    found = [
        f"{name} was {getattr(row, name)!s}, now {getattr(now, name)!s}"
        for name in names
        if getattr(row, name) != getattr(now, name)
    ]
    return found + draw_differences(row.perturbed, now.perturbed)


def _behaviour_differences(row: EpisodeRow, result: RolloutResult) -> list[str]:
    """One line per number; rows of earlier versions have none."""
    stored, now = (each.numbers if each else {} for each in (row.behaviour, result.behaviour))
    return [
        f"{name} of behaviour was {number}, now {now.get(name)}"
        for name, number in stored.items()
        if number != now.get(name)
    ]


def _check_fits(path: Path, stored: EpisodeStates, env: Environment) -> None:
    got, expected = stored.states.shape[1], env.scene.state().size
    if got != expected:
        problem = f"{path}: a state has {got} numbers, but {expected} in this version of {env.spec.task}."
        hint = "Verify it with the version of ambidex that ran it."
        raise DatasetError(problem, hint, path=path, got=got, expected=expected)
