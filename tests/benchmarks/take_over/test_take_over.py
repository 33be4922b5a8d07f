"""Take-overs: where they start, what they repeat, how they are resumed, and what is refused."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from goal_states import goal_states
from torch_file import write_states
from toy_policy import write_checkpoint

from ambidex.benchmarks import run_benchmark, verify_results
from ambidex.benchmarks.evaluation import agents
from ambidex.benchmarks.evaluation.agents import LocalAgents
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.policy_loading import checkpoint_id
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.evaluation.worker import BenchmarkWorker
from ambidex.benchmarks.export.entries import read_entries
from ambidex.benchmarks.gallery.sources import read_run
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import TakeOverStep
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.take_over.folder import step_folder, step_results
from ambidex.benchmarks.take_over.plan import plan_take_over
from ambidex.benchmarks.take_over.recoverability import Recoverability, read_recoverability
from ambidex.benchmarks.take_over.run import take_over
from ambidex.envs.env import Environment
from ambidex.envs.types import Float32Array, Observation, Outcome
from ambidex.errors import AmbidexError, DatasetError, UsageError

SEED, STEPS, EVERY = 100_000, 40, 20
SOURCE = BenchmarkConfig(
    policy="random", task="transfer_cube", episodes=2, horizon=STEPS, video="none", workers=0, quiet=True
)
TAKE_OVER = BenchmarkConfig(policy="scripted", every=EVERY, take_over_steps=15, workers=0, quiet=True)
ExitsWith = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two episodes that fail."""
    return benchmark(replace(SOURCE, output_dir=tmp_path_factory.mktemp("source") / "random")).directory


@pytest.fixture(scope="module")
def finished(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished take-overs by the expert, which has too few steps to succeed."""
    return run(source, tmp_path_factory.mktemp("finished") / "out").directory


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of them that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "copied"))


def run(source: Path, output_dir: Path, **changes: object) -> Recoverability:
    found = take_over(replace(TAKE_OVER, take_over=source, output_dir=output_dir, **changes))
    assert found is not None
    return found


class RepeatedActions:
    """Sends the stored actions of the failure from the step at which it takes over."""

    def __init__(self, env: Environment, source: Path, step: int) -> None:
        self._results, self._step, self._task = ResultsFolder(source), step, env.spec.task

    def reset(self, observation: Observation, seed: int) -> None:
        stored = EpisodeStates.read(self._results.states_path(self._task, seed))
        self._actions = iter(stored.actions[self._step :])

    def act(self, observation: Observation) -> Float32Array:
        return next(self._actions)


@pytest.mark.parametrize(
    ("task", "perturb"),
    [("transfer_cube", ()), ("transfer_cube", ("dynamics:5", "robot_start:2")), ("libero_goal/7", ("dynamics:5",))],
)
def test_repeating_the_actions_reproduces_the_failure_bit_for_bit(
    task: str, perturb: tuple[str, ...], tmp_path: Path
) -> None:
    step, last = 17, 30
    config = replace(SOURCE, task=task, perturb=perturb, episodes=1, seed=SEED + 1, horizon=last)
    failed = benchmark(replace(config, output_dir=tmp_path / "source"))
    start = TakeOverStep(source=str(failed.directory), failures_sha256="", step=step, episodes=1)
    make_agent = lambda env: RepeatedActions(env, failed.directory, step)  # noqa: E731
    settings = TaskSettings(perturb=perturb, horizon=last - step)
    source, name = LocalAgents(make_agent=make_agent, settings=settings), failed.rows[0].task
    row = BenchmarkWorker(source, tmp_path / "out", name, "repeated", start)((name, SEED + 1))
    before, after = (
        EpisodeStates.read(ResultsFolder(path).states_path(name, SEED + 1))
        for path in (failed.directory, tmp_path / "out")
    )
    assert (row.outcome, row.steps) == (Outcome.FAILURE, last - step)
    assert np.array_equal(after.states, before.states[step:])
    assert np.array_equal(after.stages, before.stages[step:])
    assert {axis: row.perturbed[axis]["level"] for axis in row.perturbed} == {
        word.partition(":")[0]: int(word[-1]) for word in perturb
    }


def test_every_failure_is_taken_over_at_every_step(source: Path, folder: Path) -> None:
    steps = step_results(folder)
    assert list(steps) == [0, 20, 40]
    for step, results in steps.items():
        assert [row.key for row in results.rows] == [("transfer_cube", SEED), ("transfer_cube", SEED + 1)]
        for row in results.rows:
            stored = EpisodeStates.read(ResultsFolder(source).states_path(*row.key))
            taken_over = EpisodeStates.read(results.states_path(*row.key))
            assert np.array_equal(taken_over.states[0], stored.states[step])
            assert row.steps == 15


def test_at_step_0_the_expert_acts_as_in_a_benchmark_of_its_own(source: Path, tmp_path: Path) -> None:
    found = run(source, tmp_path / "out", every=100, take_over_steps=300)
    alone = replace(SOURCE, policy="scripted", episodes=1, horizon=300, output_dir=tmp_path / "alone")
    folders = map(ResultsFolder, (step_folder(found.directory, 0), benchmark(alone).directory))
    taken_over, whole = (EpisodeStates.read(each.states_path("transfer_cube", SEED)) for each in folders)
    assert np.array_equal(taken_over.states, whole.states)
    assert [share.tally.successes for share in found.shares] == [2]
    assert [failure.last_recoverable for failure in found.failures] == [0, 0]


def test_the_default_leaves_time_for_the_way_back(source: Path, tmp_path: Path) -> None:
    found = run(source, tmp_path / "out", every=100, take_over_steps=None)
    assert step_results(found.directory)[0].info.env_specs["transfer_cube"].horizon == 60


def test_one_step_verifies_like_any_results(folder: Path, run_command: ExitsWith) -> None:
    status, out, _ = run_command(verify_results.main, step_folder(folder, 20), "--workers", 0, "--bitwise")
    assert status == 0
    assert "2 of 2 episodes have the same states bit for bit and the same row" in out


def test_another_first_state_is_noticed(folder: Path, run_command: ExitsWith) -> None:
    moved = step_folder(folder, 20) / "benchmark.json"
    moved.write_text(moved.read_text().replace('"step": 20', '"step": 19'))
    status, out, _ = run_command(verify_results.main, step_folder(folder, 20), "--workers", 0)
    assert status == 1
    assert "the first state is not that of step 19" in out


def test_it_is_resumed_where_it_was_interrupted(folder: Path, source: Path) -> None:
    before = read_recoverability(folder)
    results = ResultsFolder(step_folder(folder, 20))
    kept, lost = results.rows
    results.remove(lost)
    shutil.rmtree(step_folder(folder, 40))
    assert not read_recoverability(folder).complete
    resumed = take_over(BenchmarkConfig(resume=True, output_dir=folder, workers=0, quiet=True))
    assert resumed == before
    assert ResultsFolder(step_folder(folder, 20)).rows[0].wall_s == kept.wall_s


def test_it_is_not_resumed_with_other_failures_or_steps(folder: Path, source: Path, tmp_path: Path) -> None:
    other = benchmark(replace(SOURCE, episodes=1, output_dir=tmp_path / "other")).directory
    for changes in ({"take_over": other}, {"every": 5}, {"policy": "hold"}, {"take_over_steps": 16}):
        config = replace(TAKE_OVER, take_over=source, output_dir=folder, resume=True)
        with pytest.raises(UsageError):
            take_over(replace(config, **changes))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not empty"):
        run(source, folder)


def test_one_step_is_not_resumed_as_a_benchmark_of_its_own(folder: Path) -> None:
    with pytest.raises(UsageError, match="started from step 20 of 2 failures"):
        benchmark(BenchmarkConfig(resume=True, output_dir=step_folder(folder, 20), workers=0, quiet=True))


class Refusing:
    """An expert that cannot plan from any state."""

    def __init__(self, env: Environment) -> None:
        """Take any environment."""

    def reset(self, observation: Observation, seed: int) -> None:
        raise AmbidexError("No plan from here.")


def test_a_plan_that_cannot_be_made_does_not_recover(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(agents.TAKING_OVER, "scripted", Refusing)  # type: ignore[arg-type]
    monkeypatch.setattr("ambidex.benchmarks.evaluation.benchmark.MAX_FIRST_ERRORS", 1)
    found = run(source, tmp_path / "out")
    assert found.complete
    assert [failure.errors for failure in found.failures] == [3, 3]
    assert {failure.last_recoverable for failure in found.failures} == {None}
    assert "No plan from here." in step_results(found.directory)[20].rows[0].reason


@pytest.mark.parametrize(
    "changes",
    [
        {"episodes": 3},
        {"seed": SEED + 5},
        {"perturb": ("light",)},
        {"horizon": 10},
        {"suite": "aloha"},
        {"check": True},
        {"every": 0},
        {"take_over_steps": 0},
        {"task": "insertion"},
        {"policy": "random"},
    ],
)
def test_flags_that_make_no_sense_are_refused(source: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        run(source, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_policies_of_one_name_are_told_apart_by_their_weights(source: Path, folder: Path, tmp_path: Path) -> None:
    old, new = (checkpoint_id(write_checkpoint(tmp_path / name, name.encode())) for name in ("old", "new"))
    failed = ResultsFolder(Path(shutil.copytree(source, tmp_path / "act")))
    settings = {**failed.info.config, "policy": "act", "checkpoint": str(tmp_path / "moved")}
    failed.write_info(replace(failed.info, policy="act", checkpoint=old, config=settings))
    config = replace(TAKE_OVER, policy="act", take_over=failed.path, output_dir=tmp_path / "out")
    with pytest.raises(UsageError, match="the same policy failed"):
        plan_take_over(replace(config, checkpoint=tmp_path / "old"))
    plan = plan_take_over(replace(config, checkpoint=tmp_path / "new"))
    assert plan is not None
    results = ResultsFolder(step_folder(folder, 0))
    results.write_info(replace(results.info, checkpoint=new))
    found = Recoverability.read(folder, plan.failures, policy="act", complete=True)
    assert (found.policy, found.failed_policy) == (f"act {new.sha256[:8]}", f"act {old.sha256[:8]}")


@pytest.mark.parametrize(
    "changes",
    [
        *({"every": 5}, {"take_over_steps": 5}, {"take_over": Path("results")}),
        *({"record_dataset": Path("data"), "cameras": ("top",)}, {"cameras": ("top",)}),
    ],
)
def test_whole_episodes_take_no_flags_of_take_overs(changes: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="take-over"):
        benchmark(replace(SOURCE, output_dir=tmp_path / "out", **changes))  # type: ignore[arg-type]


def test_take_overs_are_not_taken_over(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are take-overs"):
        run(step_folder(folder, 20), tmp_path / "again")


def test_failures_without_states_are_an_error(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "states")
    with pytest.raises(DatasetError, match="is missing, the file with the states"):
        run(tmp_path / "copy", tmp_path / "out")


def test_states_of_another_scene_are_refused(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "copy")
    rows = tmp_path / "copy" / "results.jsonl"
    sha256 = ResultsFolder(source).rows[0].model_sha256
    rows.write_text(rows.read_text().replace(sha256, "0" * 64))
    with pytest.raises(UsageError, match="another version of its scene"):
        run(tmp_path / "copy", tmp_path / "out")


def test_without_failures_there_is_nothing_to_do(tmp_path: Path, run_command: ExitsWith) -> None:
    config = replace(SOURCE, policy="scripted", episodes=1, horizon=None, output_dir=tmp_path / "source")
    solved = benchmark(config).directory
    words = ("--policy", "hold", "--take-over", solved, "--output-dir", tmp_path / "out")
    status, out, _ = run_command(run_benchmark.main, *words)
    assert status == 0
    assert "There are no failures" in out
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_tables_and_writes_them(source: Path, tmp_path: Path, run_command: ExitsWith) -> None:
    words = ("--policy", "hold", "--take-over", source, "--every", 40, "--take-over-steps", 3, "--workers", 0)
    status, out, _ = run_command(run_benchmark.main, *words, "--output-dir", tmp_path / "out")
    assert status == 0
    assert "hold recovered 0 of 2 failures of random" in out
    written = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert written == {
        *("take_over.json", "recoverability.json", "recoverability.png", "shares.csv", "failures.csv"),
    }
    assert (tmp_path / "out" / "shares.csv").read_text().splitlines()[1].startswith("0,2,0,0,0.0000,0.0000,")


def test_the_gallery_shows_the_last_recoverable_step_of_each_failure(folder: Path) -> None:
    results = ResultsFolder(step_folder(folder, 20))
    path = results.path / "results.jsonl"
    path.write_text(path.read_text().replace('"outcome": "failure"', '"outcome": "success"', 1))
    shown = read_run(folder)
    assert [(episode.seed, episode.outcome) for episode in shown.episodes] == [
        (SEED, Outcome.SUCCESS),
        (SEED + 1, Outcome.FAILURE),
    ]
    assert [dict(episode.facts)["last recoverable step"] for episode in shown.episodes] == ["20", "never"]
    assert shown.episodes[0].states == results.states_path("transfer_cube", SEED)


def test_they_are_no_success_rates(folder: Path) -> None:
    with pytest.raises(UsageError, match="no success rate"):
        read_entries([step_folder(folder, 0)])


def test_distractors_stand_where_they_stood_in_episodes_of_a_file_of_initial_states(tmp_path: Path) -> None:
    """They are placed around the objects of the initial state, which is not that of the seed without the file."""
    file = write_states(tmp_path / "goal.pruned_init", goal_states(1))
    changes = {"task": "libero_goal/1", "init_states": file, "perturb": ("distractors:5",), "episodes": 1}
    first = benchmark(replace(SOURCE, policy="hold", output_dir=tmp_path / "hold", **changes)).directory
    run(first, tmp_path / "out", every=STEPS)
    (row,), (taken,) = (ResultsFolder(each).rows for each in (first, step_folder(tmp_path / "out", 0)))
    assert taken.perturbed == row.perturbed
    file.unlink()
    with pytest.raises(AmbidexError, match=r"goal\.pruned_init"):
        run(first, tmp_path / "again", every=STEPS)
