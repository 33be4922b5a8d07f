"""The design study: its cells and jobs, and what its report says of results."""

import json
import subprocess
import sys

import pytest
import tyro
from paired_results import write_outcomes

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.studies.design_plan import DesignPlan, DesignStudyConfig
from ambidex.benchmarks.studies.design_report import design_report, write_picture
from ambidex.benchmarks.studies.job_runner import StudyRunner
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.train_policy import defaults_for
from ambidex.policies.training.config import TrainConfig


def plan(tmp_path, **settings):
    usual = {"policy": "act", "data": (tmp_path / "data",), "tasks": ("insertion",), "train": ("preset=tiny",)}
    return DesignPlan(DesignStudyConfig(**{**usual, "output_dir": tmp_path / "study", **settings}))


def trainings(plan):
    """The configs that train-policy makes of the jobs' flags."""
    flags = [job.flags for job in plan.jobs() if job.command == "train-policy"]
    defaults = [defaults_for(words) for words in flags]
    return [
        tyro.cli(TrainConfig[type(d.model)], args=words, default=d) for words, d in zip(flags, defaults, strict=True)
    ]


def test_every_combination_is_trained_with_its_settings_and_benchmarked_in_every_task(tmp_path):
    settings = {"vary": ("chunk-size=10,20", "camera_attention=off,on"), "train": ("preset=tiny", "steps=7", "compile")}
    study = plan(tmp_path, tasks=("aloha",), trainings=2, executions=("chunk", "first"), **settings)
    configs = trainings(study)
    varied = {(c.model.chunk_size, c.model.camera_attention, c.seed) for c in configs}
    assert varied == {(k, a, s) for k in (10, 20) for a in (False, True) for s in (0, 1)}
    assert all(c.preset == "tiny" and c.steps == 7 and c.compile for c in configs)
    benchmarks = [job for job in study.jobs() if job.command == "run-benchmark"]
    acting = [tyro.cli(BenchmarkConfig, args=job.flags) for job in benchmarks]
    assert {(c.task, c.execution) for c in acting} == {
        (task, mode) for task in ("transfer_cube", "insertion") for mode in ("chunk", "first")
    }
    folders = {c.output_dir for c in configs}
    assert len(acting) == 4 * len(configs) == len({c.output_dir for c in acting})
    assert {c.checkpoint for c in acting} == folders
    names = [job.name for job in study.jobs()]
    assert all(names.index(need) < names.index(job.name) for job in benchmarks for need in job.needs)


def test_flags_for_camera_attention_of_act(tmp_path):
    study = plan(tmp_path, camera_tokens=("grid", "pooled"), camera_attention=("off", "on"))
    assert study.varied == ("camera_tokens", "camera_attention")
    assert {(c.model.camera_tokens, c.model.camera_attention) for c in trainings(study)} >= {
        ("grid", False),
        ("pooled", True),
    }


def test_combinations_that_the_policy_refuses_are_left_out_with_the_reason(tmp_path):
    study = plan(tmp_path, vary=("heads=3,4",))
    assert [cell.settings["heads"] for cell in study.cells] == [4]
    assert list(study.left_out) == ["heads 3"]
    with pytest.raises(UsageError):
        plan(tmp_path, vary=("heads=3",))


def test_structures_without_a_history_get_a_history_of_1(tmp_path):
    structures = ("one_step_discrete", "one_step_continuous", "interleaved_continuous", "policy_head_continuous")
    study = plan(tmp_path, policy="robovlms", structures=structures)
    assert {(c.model.structure, c.model.history) for c in trainings(study)} == dict(
        zip(structures, (1, 1, 8, 8), strict=True)
    ).items()
    assert len(study.pairs) == 6 and study.varied == ("structure",)


def test_settings_that_others_imply_are_in_the_report(tmp_path):
    structures = ("one_step_continuous", "policy_head_continuous")
    study = plan(tmp_path, policy="robovlms", structures=structures, train=("preset=tiny", "steps=7"))
    for cell, outcomes in zip(study.cells, ("ss", "sf"), strict=True):
        write_outcomes(study.results_folder(cell, 0, "insertion"), outcomes)
    text = design_report(study, StudyRunner(tmp_path), "command").markdown()
    assert "one_step_continuous: with history 1." in text and "policy_head_continuous: with" not in text
    assert "1 of 7 steps" in text


def test_a_history_that_is_compared_is_not_changed(tmp_path):
    structures = ("one_step_continuous", "policy_head_continuous")
    study = plan(tmp_path, policy="robovlms", structures=structures, history=(1, 4))
    assert [(cell.settings["structure"], cell.settings["history"]) for cell in study.cells] == [
        ("one_step_continuous", 1),
        ("policy_head_continuous", 1),
        ("policy_head_continuous", 4),
    ]
    assert list(study.left_out) == ["structure one_step_continuous, history 4"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"heads": ("fc",)}, UnknownNameError),
        ({"vary": ("chunk_size=ten",)}, UsageError),
        ({"vary": ("chunk_size",)}, UsageError),
        ({"vary": ("camera_attention=yes",)}, UnknownNameError),
        ({"executions": ("second",)}, UnknownNameError),
        ({"tasks": ("lift",)}, UsageError),
        ({"trainings": 0}, UsageError),
    ],
)
def test_wrong_settings_are_refused(tmp_path, settings, error):
    with pytest.raises(error):
        plan(tmp_path, **settings)


def test_report_pairs_episodes_of_all_trainings_and_corrects_all_tests(tmp_path):
    study = plan(tmp_path, vary=("chunk_size=10,20,40",), trainings=2)
    best, middle, worst = study.cells
    for cell, first, second in (
        (best, "ssssssssss", "ssssssssss"),
        (middle, "sssssfffff", "sssssssssf"),
        (worst, "f" * 10, "f" * 10),
    ):
        for seed, outcomes in enumerate((first, second)):
            write_outcomes(study.results_folder(cell, seed, "insertion"), outcomes)
    report = design_report(study, StudyRunner(tmp_path), "command")
    assert [cell.together.successes for cell in report.cells] == [20, 14, 0]
    assert [(pair.first, pair.second) for pair in report.pairs] == [("10", "20"), ("10", "40"), ("20", "40")]
    first, second, third = (pair.statistics for pair in report.pairs)
    assert (first.counts.only_a, first.counts.only_b, first.counts.pairs) == (6, 0, 20)
    assert first.exact_p == pytest.approx(2 * 0.5**6) == pytest.approx(first.corrected_p)
    assert second.corrected_p == pytest.approx(3 * second.exact_p)
    assert third.corrected_p == pytest.approx(2 * third.exact_p)
    text = report.markdown()
    assert text.startswith("# Design study of act, ") and f"- data: {tmp_path / 'data'}\n" in text
    assert "2 of 8000 steps, seeds 0, 1" in text and "- command: `command`" in text and "ambidex " in text
    write_picture(report, tmp_path / "rates.png")
    assert (tmp_path / "rates.png").stat().st_size > 1000


def test_report_leaves_out_cells_that_are_not_complete(tmp_path):
    study = plan(tmp_path, vary=("chunk_size=10,20",))
    write_outcomes(study.results_folder(study.cells[0], 0, "insertion"), "ssss")
    report = design_report(study, StudyRunner(tmp_path), "command")
    assert [cell.settings for cell in report.cells] == [{"chunk_size": "10"}] and not report.pairs
    assert "Still to be run: train-chunk_size_10-0" in report.markdown()


@pytest.mark.slow
def test_study_trains_benchmarks_reports_and_resumes(tmp_path):
    data, folder = tmp_path / "data", tmp_path / "study"
    record = "from ambidex.recorders.record_episodes import main; main()"
    flags = ["--task", "transfer_cube", "--num-episodes", "2", "--cameras", "none", "--output-dir", str(data)]
    subprocess.run([sys.executable, "-c", record, *flags], check=True)
    train = ["preset=tiny", "observations=state", "steps=2", "batch-size=2", "validation-fraction=0"]
    command = [sys.executable, "-m", "ambidex.benchmarks.design_study", "--policy", "act", "--data", str(data)]
    command += ["--tasks", "transfer_cube", "--train", *train, "--vary", "chunk_size=10,20", "--episodes", "2"]
    command += ["--output-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report.json").read_text())
    assert report["complete"] and [cell["together"]["n"] for cell in report["cells"]] == [2, 2]
    assert (folder / "rates.png").is_file()
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.stdout == done.stdout and "train-" not in again.stderr
