"""Playing back stored actions: results as run-benchmark wrote them reproduce, and each change of them is found."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from benchmarking_fakes import FIRST, HOLD, run_into
from goal_states import goal_states
from results_folder import rewrite_row
from torch_file import write_states

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.verification.playback import drawn_rows, play_back
from ambidex.benchmarks.verify_results import main
from ambidex.envs.env import Environment
from ambidex.envs.types import Outcome
from ambidex.errors import EpisodeStartError, UsageError


class FailingAgent:
    """Moves at random; in odd episodes it raises an error at the fourth step."""

    def __init__(self, env):
        self._low, self._high = env.action_low, env.action_high

    def reset(self, observation, seed):
        self._rng, self._steps, self._seed = np.random.default_rng(seed), 0, seed

    def act(self, observation):
        self._steps += 1
        if self._steps == 4 and self._seed % 2:
            raise RuntimeError("the gripper fell off")
        return self._rng.uniform(self._low, self._high).astype(np.float32)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A failure and an error, of 12 steps at most."""
    return run_into(tmp_path_factory.mktemp("results"), agent=FailingAgent, episodes=2, horizon=12).directory


@pytest.fixture
def results(original, tmp_path):
    """A copy to change."""
    return ResultsFolder(shutil.copytree(original, tmp_path / "results"))


def played(results):
    """Seed -> result."""
    return {row.seed: found for row, found in play_back(results.path, results.rows, workers=0)}


def rewrite_states(results, seed, change):
    path = results.states_path("insertion", seed)
    stored = EpisodeStates.read(path)
    change(stored)
    stored.write(path)


def output_of(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words), "--workers", "0"])
    return end.value.code, capsys.readouterr()


def test_failures_and_errors_are_played_back_bit_for_bit(results, capsys):
    assert [row.outcome for row in results.rows] == [Outcome.FAILURE, Outcome.ERROR]
    assert all(found.states.same and not found.differences and not found.notes for found in played(results).values())
    code, output = output_of(capsys, results.path, "--bitwise")
    assert code == 0 and "2 of 2 episodes have the same states bit for bit and the same row" in output.out


def test_a_success_is_played_back_to_its_last_step(tmp_path):
    config = replace(HOLD, policy="scripted", task="transfer_cube", episodes=1, output_dir=tmp_path)
    assert benchmark(config).overall.successes == 1
    (found,) = played(ResultsFolder(tmp_path)).values()
    assert found.states.same and found.reproduces


def test_a_changed_number_of_the_behaviour_is_found(results):
    failure, error = results.rows
    assert error.behaviour is None
    changed = replace(failure, behaviour=replace(failure.behaviour, drops=1))
    results.path.joinpath("results.jsonl").write_text(changed.to_line() + "\n")
    (found,) = played(ResultsFolder(results.path)).values()
    assert found.states.same and found.differences == ("objects dropped of behaviour was 1, now 0",)


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (0, {"outcome": "success", "reason": ""}),
        (0, {"stage": 1}),
        (0, {"steps": 11}),
        (0, {"checks": {}}),
        (0, {"solved_at_start": True}),
        (0, {"initial_state_sha256": "0" * 64}),
        (1, {"outcome": "failure", "error": ""}),
    ],
)
def test_a_row_that_was_changed_is_found(results, index, changes):
    rewrite_row(results.path, index, **changes)
    found = played(results)
    changed = FIRST + index
    assert found[changed].states.same and not found[changed].reproduces
    assert next(iter(changes)) in " ".join(found[changed].differences)
    assert found[FIRST + 1 - index].reproduces


def test_another_action_gives_other_states_from_there_on(results, capsys):
    rewrite_states(results, FIRST, lambda stored: stored.actions.__setitem__((5, 0), stored.actions[5, 0] + 0.01))
    found = played(results)[FIRST]
    assert found.states.first_difference == 6 and not found.reproduces
    code, output = output_of(capsys, results.path, "--quiet")
    assert code == 1 and not output.out and "differ from 6" in output.err and output.err.count("\n") == 1


def test_the_last_bit_is_other_arithmetic(results, capsys):
    rewrite_states(
        results, FIRST, lambda stored: stored.states.__setitem__((9, 5), np.nextafter(stored.states[9, 5], 9))
    )
    code, output = output_of(capsys, results.path)
    assert code == 0 and "1 differ only as other arithmetic rounds, same row" in output.out
    assert output_of(capsys, results.path, "--bitwise")[0] == 1


def test_an_initial_state_of_another_seed_is_found(results):
    other = EpisodeStates.read(results.states_path("insertion", FIRST + 1)).states[0]
    rewrite_states(results, FIRST, lambda stored: stored.states.__setitem__(0, other))
    assert any("initial state of insertion, seed 100000" in line for line in played(results)[FIRST].differences)


def test_stages_and_missing_actions_are_compared(results):
    rewrite_states(results, FIRST, lambda stored: stored.stages.__setitem__(3, 2))
    path = results.states_path("insertion", FIRST + 1)
    stored = EpisodeStates.read(path)
    replace(stored, states=stored.states[:-1], actions=stored.actions[:-1], stages=stored.stages[:-1]).write(path)
    found = played(results)
    assert found[FIRST].differences == ("the stages of the steps differ",)
    assert found[FIRST + 1].differences == ("steps was 3, now 2",)


def test_states_that_are_missing_or_of_another_scene_are_errors(results, capsys):
    results.states_path("insertion", FIRST).unlink()
    path = results.states_path("insertion", FIRST + 1)
    stored = EpisodeStates.read(path)
    replace(stored, states=stored.states[:, :-1]).write(path)
    code, output = output_of(capsys, results.path)
    assert code == 1 and "100000.npz is missing" in output.out and "a state has" in output.out
    assert "0 of 2 episodes" in output.out and "2 could not be played back" in output.out


def test_another_version_is_noted(results):
    rewrite_row(results.path, 0, model_sha256="f" * 64, versions={"mujoco": "3.9.0"})
    found = played(results)[FIRST]
    assert found.reproduces and "model" in found.notes[0] and "3.9.0" in found.notes[1]


def test_stored_initial_states_are_compared_while_their_file_exists(tmp_path):
    file = write_states(tmp_path / "goal.pruned_init", goal_states(1))
    config = replace(HOLD, task="libero_goal/1", init_states=file, episodes=1, horizon=2, settle_steps=1)
    results = ResultsFolder(benchmark(replace(config, output_dir=tmp_path / "results")).directory)
    for exists in (True, False):
        (found,) = played(results).values()
        assert found.states.same and found.reproduces and bool(found.notes) != exists
        file.unlink(missing_ok=True)


def test_a_reset_that_fails_fails_again(tmp_path, monkeypatch):
    def fail(env, seed):
        raise EpisodeStartError("there is no room for the bowl")

    monkeypatch.setattr(Environment, "reset", fail)
    results = ResultsFolder(run_into(tmp_path, episodes=1).directory)
    assert not results.rows[0].has_states
    (found,) = played(results).values()
    assert found.reproduces
    monkeypatch.undo()
    assert not played(results)[FIRST].reproduces


def test_the_draw_depends_on_its_seed_alone():
    rows = list(range(60))
    assert drawn_rows(rows, None, 0) == drawn_rows(rows, 50, 0) != drawn_rows(rows, 50, 1)
    assert len(set(drawn_rows(rows, 7, 3))) == 7 and drawn_rows(rows, 99, 0) == rows
    for episodes, seed in ((0, 0), (1, -1)):
        with pytest.raises(UsageError):
            drawn_rows(rows, episodes, seed)
