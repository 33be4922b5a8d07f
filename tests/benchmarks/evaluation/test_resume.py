"""Resuming takes the same flags, definition and initial states, wherever their files are, and no others."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from benchmarking_fakes import FIRST, HOLD, run_into
from definition_text import TEXT, changed
from goal_states import goal_states
from results_folder import rewrite_row
from torch_file import write_states

from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.evaluation.resume import check_info
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.benchmarks.videos.make import make_videos
from ambidex.envs.env import Environment
from ambidex.errors import DatasetError, UsageError
from ambidex.output_folder import exclusive_lock, versions
from ambidex.recorders.dataset.environment import DEFINITION_COPY

SHORT = replace(HOLD, episodes=1, horizon=3)


def differences(config, **changes):
    """The differences that the error on resuming lists, in one string."""
    with pytest.raises(UsageError) as raised:
        benchmark(replace(config, resume=True, **changes))
    return "; ".join(raised.value.facts["got"])


def forget_sha256(folder, field):
    """Make benchmark.json like that of an older version, which did not store this SHA-256."""
    info = BenchmarkInfo.read(folder)
    specs = {task: replace(spec, **{field: ""}) for task, spec in info.env_specs.items()}
    replace(info, env_specs=specs).write(folder)


def test_other_flags_are_refused_and_all_of_them_listed(tmp_path):
    run_into(tmp_path)
    config = replace(HOLD, output_dir=tmp_path)
    found = differences(config, seed=100_001, spread="wide", policy="random", episodes=2)
    for flag in ("--seed was 100000, now 100001", "--spread was published, now wide", "--policy was hold, now random"):
        assert flag in found
    assert "--episodes was 5, now 2: it may only grow" in found


def test_another_version_of_mujoco_is_refused(tmp_path, monkeypatch):
    run_into(tmp_path, episodes=2)
    monkeypatch.setattr("ambidex.benchmarks.evaluation.benchmark.versions", lambda: {"mujoco": "5.0.0"})
    with pytest.raises(UsageError, match=r"mujoco was 4.*, now 5\.0\.0"):
        run_into(tmp_path, resume=True)


def test_a_changed_model_is_refused_and_rows_without_its_sha256_are_not(tmp_path):
    run_into(tmp_path, episodes=1)
    (row,) = ResultsFolder(tmp_path).rows
    assert len(row.model_sha256) == 64
    rewrite_row(tmp_path, 0, model_sha256="f" * 64)
    with pytest.raises(UsageError, match="insertion: the model of robot, objects or scene has changed"):
        run_into(tmp_path, episodes=2, resume=True)
    rewrite_row(tmp_path, 0, model_sha256="")
    assert run_into(tmp_path, episodes=2, resume=True).complete


@pytest.fixture(scope="module")
def states():
    """Three initial states."""
    return goal_states(3)


@pytest.fixture
def from_states(tmp_path, states):
    """Config of a run with one episode, from the first state of a file."""
    file = write_states(tmp_path / "goal.pruned_init", states)
    config = replace(SHORT, task="libero_goal/1", init_states=file, output_dir=tmp_path / "results")
    assert benchmark(config).complete
    return config


def test_the_same_initial_states_may_be_elsewhere(from_states, tmp_path):
    moved = from_states.init_states.rename(tmp_path / "there.pruned_init")
    assert benchmark(replace(from_states, init_states=moved, episodes=2, resume=True)).complete


@pytest.mark.parametrize("episodes", [1, 2], ids=["no episode left", "one left"])
def test_other_initial_states_under_the_same_name_are_refused(from_states, states, episodes):
    write_states(from_states.init_states, states + 0.001)
    assert "--init-states of libero_goal/put_" in differences(from_states, episodes=episodes)
    assert len(ResultsFolder(from_states.output_dir).rows) == 1


def test_stored_and_sampled_initial_states_are_not_mixed(from_states, tmp_path):
    assert "now of no file" in differences(from_states, init_states=None)
    sampled = replace(SHORT, task="libero_goal/1", output_dir=tmp_path / "sampled")
    assert benchmark(sampled).complete
    assert "had the SHA-256 of no file" in differences(sampled, init_states=from_states.init_states)


def test_workers_refuse_other_initial_states_than_those_of_the_plan(from_states, states):
    plan = make_plan(from_states)
    write_states(from_states.init_states, states + 0.001)
    with pytest.raises(UsageError, match=r"The initial states .* have changed"):
        plan.task_settings.environment(plan.tasks[0])


def test_results_of_an_older_version_without_sha256_of_initial_states_can_be_resumed(from_states):
    forget_sha256(from_states.output_dir, "init_states_sha256")
    assert benchmark(replace(from_states, episodes=2, resume=True)).complete


def test_initial_states_of_an_older_version_without_their_sha256_are_compared_by_path(from_states, tmp_path, states):
    forget_sha256(from_states.output_dir, "init_states_sha256")
    for other in (write_states(tmp_path / "other.pruned_init", states), None):
        assert "init_states: " in differences(from_states, init_states=other, episodes=2)
    assert len(ResultsFolder(from_states.output_dir).rows) == 1


@pytest.fixture
def own_definition(tmp_path):
    """Config of a run with one episode of a definition of one's own."""
    file = tmp_path / "my_task.bddl"
    file.write_text(TEXT)
    config = replace(SHORT, task=None, bddl_file=file, output_dir=tmp_path / "results")
    assert benchmark(config).complete and (tmp_path / "results" / DEFINITION_COPY).read_text() == TEXT
    return config


def test_videos_and_gallery_do_not_need_the_file_of_the_definition(own_definition, tmp_path):
    own_definition.bddl_file.rename(tmp_path / "elsewhere.bddl")
    results = ResultsFolder(own_definition.output_dir)
    (video,) = make_videos(results, "all", VideoStyle(image_size=(48, 64)), workers=0).videos
    assert video.name == f"{FIRST}_failure.mp4"
    (run,) = read_runs([results.path], VideoStyle(cameras=("frontview",)))
    assert len(run.episodes) == 1


def test_an_edited_definition_is_refused(own_definition):
    own_definition.bddl_file.write_text(changed("in the drawer", "in a drawer"))
    assert "definition_sha256" in differences(own_definition, episodes=2)
    assert len(ResultsFolder(own_definition.output_dir).rows) == 1


def test_the_source_of_the_instruction_is_said_once_resumed_and_compared(own_definition, tmp_path, capsys):
    for episodes in (1, 2):
        found = differences(own_definition, instruction_source="language", episodes=episodes)
        assert "--instruction-source was" in found and "now language" in found
    language = replace(own_definition, instruction_source="language", output_dir=tmp_path / "language", quiet=False)
    benchmark(language)
    named = benchmark(replace(own_definition, instruction_source="filename", resume=True, quiet=False)).info
    assert "instruction is" not in capsys.readouterr().err
    benchmark(replace(own_definition, resume=True, quiet=False))
    told = capsys.readouterr().err
    assert told.count("instruction is 'my task'") == 1 and "'put the bowl in the drawer'" in told
    assert [spec.instruction for spec in named.env_specs.values()] == ["my task"]
    with pytest.raises(DatasetError) as error:
        compare(CompareConfig(results=(own_definition.output_dir, language.output_dir)))
    assert error.value.facts["got"] == ["instruction_source 'filename' in A and 'language' in B"]
    assert make_plan(replace(language, output_dir=None)).directory.name == "hold-my_task-language"


def test_workers_refuse_another_definition_than_that_of_the_plan(own_definition):
    plan = make_plan(own_definition)
    own_definition.bddl_file.write_text(changed("in the drawer", "in a drawer"))
    with pytest.raises(UsageError, match=r"The definition .* has changed"):
        plan.task_settings.environment(plan.tasks[0])


def test_results_of_an_older_version_without_sha256_of_the_definition_can_be_resumed(own_definition):
    forget_sha256(own_definition.output_dir, "definition_sha256")
    assert benchmark(replace(own_definition, episodes=2, resume=True)).complete


def test_definitions_of_an_older_version_without_their_sha256_are_compared_by_the_rest_of_the_spec(own_definition):
    forget_sha256(own_definition.output_dir, "definition_sha256")
    own_definition.bddl_file.write_text(TEXT.replace("akita_black_bowl_2", "akita_black_bowl_3"))
    assert "object_names: " in differences(own_definition, episodes=2)
    assert len(ResultsFolder(own_definition.output_dir).rows) == 1


def test_another_version_of_torch_is_refused_but_not_of_numpy(tmp_path, monkeypatch):
    ours = versions()
    module = "ambidex.benchmarks.evaluation.benchmark.versions"
    monkeypatch.setattr(module, lambda: {**ours, "torch": "2.6.0", "numpy": "2.0.0"})
    run_into(tmp_path, episodes=1)
    monkeypatch.setattr(module, lambda: {**ours, "torch": "2.7.0", "numpy": "2.1.0"})
    assert differences(replace(HOLD, output_dir=tmp_path), episodes=2) == "torch was 2.6.0, now 2.7.0"


def test_another_execution_is_refused(tmp_path):
    run_into(tmp_path, episodes=1)
    results = ResultsFolder(tmp_path)
    with pytest.raises(UsageError) as raised:
        check_info(results, replace(results.info, execution="chunk:8"))
    assert raised.value.facts["got"] == ["the execution was , now chunk:8"]


def test_a_folder_into_which_another_process_wrote_meanwhile_is_refused(tmp_path, monkeypatch):
    @contextmanager
    def lock_after_another_process(folder):
        (folder / "thesis.tex").touch()
        with exclusive_lock(folder):
            yield

    monkeypatch.setattr("ambidex.benchmarks.evaluation.benchmark.exclusive_lock", lock_after_another_process)
    with pytest.raises(UsageError) as raised:
        run_into(tmp_path, episodes=1)
    assert raised.value.facts["got"] == ["thesis.tex"]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_initial_states_that_have_changed_are_refused(tmp_path, monkeypatch):
    run_into(tmp_path, episodes=2)
    reset = Environment.reset
    monkeypatch.setattr(Environment, "reset", lambda env, seed, **options: reset(env, seed + 1, **options))
    assert "the initial state of" in differences(replace(HOLD, output_dir=tmp_path, episodes=3))
