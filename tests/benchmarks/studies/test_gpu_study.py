"""The GPU study: the commands accept its jobs, it resumes, and its report lists what is missing."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import tyro

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.speed.training_speed import SpeedConfig, SpeedResult
from ambidex.benchmarks.studies.gpu_config import GpuStudyConfig, ModelCell
from ambidex.benchmarks.studies.gpu_plan import StudyPlan, TrainingCell
from ambidex.benchmarks.studies.gpu_report import ModelFigure, SpeedFigure, StudyReport, SuccessFigure
from ambidex.benchmarks.studies.job_runner import StudyJob, StudyRunner
from ambidex.envs.types import Outcome
from ambidex.errors import UsageError
from ambidex.policies.train_policy import defaults_for
from ambidex.policies.training.config import TrainConfig
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.rendering.config import RenderConfig

MACHINE = {
    "hardware": {"usable_cores": 2, "processor": "a processor"},
    "gpu": {},
    "opengl": {"renderer": "a renderer"},
    "versions": {"torch": "2", "mujoco": "4", "ambidex": "0"},
}


class CodeJob(StudyJob):
    """A job that is a piece of Python."""

    def argv(self):
        return [sys.executable, "-c", self.flags[0]]


def code_job(name, code, folder, needs=()):
    return CodeJob(name=name, command="python", flags=(code,), marker=folder / "none", needs=needs)


def append(folder, word):
    """Code that appends a word to a file."""
    return f"open({str(folder / 'words')!r}, 'a').write({word + ' '!r})"


def parsed(job):
    """The config that a job's command makes of its flags."""
    if job.command == "train-policy":
        default = defaults_for(job.flags)
        return tyro.cli(TrainConfig[type(default.model)], args=job.flags, default=default)
    configs = {"record-episodes": RecordConfig, "render-episodes": RenderConfig, "run-benchmark": BenchmarkConfig}
    configs |= {"training-speed": SpeedConfig}
    return tyro.cli(configs[job.command], args=job.flags)


@pytest.mark.parametrize("smoke", [False, True])
def test_commands_accept_their_jobs_and_jobs_follow_those_they_need(tmp_path, smoke):
    jobs = StudyPlan(GpuStudyConfig(output_dir=tmp_path, smoke=smoke)).jobs()
    configs = [parsed(job) for job in jobs]
    outputs = [config.output if isinstance(config, SpeedConfig) else config.output_dir / "file" for config in configs]
    assert len({job.name for job in jobs}) == len(set(outputs)) == len(jobs)
    names = [job.name for job in jobs]
    assert all(names.index(need) < i for i, job in enumerate(jobs) for need in job.needs)
    assert all(job.marker.parent == folder for job, folder in zip(jobs, (file.parent for file in outputs), strict=True))


def test_published_variant_uses_the_paper_preset(tmp_path):
    plan = StudyPlan(GpuStudyConfig(output_dir=tmp_path, variants=("published",)))
    trainings = [parsed(job) for job in plan.jobs() if job.name.startswith("train-")]
    assert [config.seed for config in trainings] == [0, 0, 1, 1, 2, 2]
    for config in trainings:
        asked = (config.preset, config.steps, config.batch_size, config.learning_rate, config.backbone_learning_rate)
        assert asked == ("paper", 10_000, 8, 1e-5, 1e-5)
        assert config.model.d_model == 512


def test_speed_is_measured_in_both_precisions_compiled_and_eager(tmp_path):
    plan = StudyPlan(GpuStudyConfig(output_dir=tmp_path, variants=("fast",)))
    timed = [parsed(job) for job in plan.jobs() if job.name.startswith("speed-")]
    settings = {(config.precision, config.compile) for config in timed}
    assert settings == {(precision, compiled) for precision in ("fp32", "bf16") for compiled in (False, True)}
    assert all(config.steps > plan.warmup >= config.log_every for config in timed)


def test_weights_are_used_by_the_published_variant_only(tmp_path):
    plan = StudyPlan(GpuStudyConfig(output_dir=tmp_path), tmp_path / "w.pth")
    models = {job.name.split("-")[1]: parsed(job).model for job in plan.jobs() if "train-" in job.name}
    assert {name: model.backbone_weights for name, model in models.items()} == {
        "fast": "none",
        "published": str(tmp_path / "w.pth"),
    }
    assert models["published"].backbone_norm == "frozen"
    assert "w.pth" in plan.notes[0]


def test_without_weights_the_encoder_trains_from_scratch_with_group_norm(tmp_path):
    plan = StudyPlan(GpuStudyConfig(output_dir=tmp_path, variants=("published",)))
    models = [parsed(job).model for job in plan.jobs() if "train-" in job.name]
    assert all(model.backbone_norm == "group" and model.backbone_weights == "none" for model in models)
    assert "from scratch" in plan.notes[0]


def test_large_models_are_timed_in_bf16_with_both_attentions(tmp_path):
    timed = [parsed(job) for job in StudyPlan(GpuStudyConfig(output_dir=tmp_path)).jobs() if "model-" in job.name]
    presets, attentions = ("smolvlm_500m", "paligemma_3b"), ("sdpa", "flash_attention_2")
    assert [(config.preset, config.batch_size, config.attention) for config in timed] == [
        (preset, size, attention) for preset in presets for size in (1, 8) for attention in attentions
    ]
    assert all((config.policy, config.precision, config.device) == ("robovlms", "bf16", "auto") for config in timed)


@pytest.mark.parametrize("flags", [{"tasks": ("lift",)}, {"variants": ("slow",)}, {"seeds": 0}, {"minutes": 0}])
def test_wrong_flags_are_refused(flags):
    with pytest.raises(UsageError):
        StudyPlan(GpuStudyConfig(**flags))


def test_finished_jobs_do_not_run_again(tmp_path):
    jobs = [code_job("a", append(tmp_path, "a"), tmp_path), code_job("b", append(tmp_path, "b"), tmp_path)]
    StudyRunner(tmp_path).run(jobs[:1])
    again = StudyRunner(tmp_path)
    again.run(jobs)
    assert (tmp_path / "words").read_text() == "a b "
    assert all(again.done(job) and again.seconds(job) > 0 for job in jobs)


def test_a_failed_job_stops_only_jobs_that_need_it_and_is_retried(tmp_path):
    broken = f"import sys; {append(tmp_path, 'try')}; sys.exit('superfluous ' * 50 + 'no such thing')"
    jobs = [
        code_job("broken", broken, tmp_path),
        code_job("needy", append(tmp_path, "needy"), tmp_path, needs=("broken",)),
        code_job("needier", append(tmp_path, "needier"), tmp_path, needs=("needy",)),
        code_job("free", append(tmp_path, "free"), tmp_path),
    ]
    runner = StudyRunner(tmp_path)
    runner.run(jobs)
    assert list(runner.failed) == ["broken", "needy", "needier"]
    assert "which ends: ... superfluous " in runner.failed["broken"] and "no such thing" in runner.failed["broken"]
    StudyRunner(tmp_path).run(jobs)
    assert (tmp_path / "words").read_text() == "try free try "


def test_a_job_is_interrupted_when_the_time_is_up(tmp_path):
    patient = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "try:\n"
        f"    {append(tmp_path, 'started')}; time.sleep(60)\n"
        f"except KeyboardInterrupt: {append(tmp_path, 'saved')}; raise SystemExit(130)"
    )
    jobs = [code_job("quick", "pass", tmp_path), code_job("patient", patient, tmp_path)]
    StudyRunner(tmp_path).run(jobs[:1])
    started = time.monotonic()
    runner = StudyRunner(tmp_path, deadline=started + 2)
    with pytest.raises(KeyboardInterrupt, match="The time is up: 1 of 2 jobs are done"):
        runner.run(jobs)
    assert time.monotonic() - started < 30
    assert (tmp_path / "words").read_text() == "started saved "
    assert not runner.done(jobs[1]) and not runner.failed


def test_a_started_job_is_resumed(tmp_path):
    (job, *_) = StudyPlan(GpuStudyConfig(output_dir=tmp_path)).jobs()
    assert "--resume" not in job.argv()
    job.marker.parent.mkdir(parents=True)
    job.marker.touch()
    assert job.argv()[-1] == "--resume"


def make_report(speeds=(), successes=(), failed=(), missing=(), models=()):
    figures = {
        "models": models,
        "notes": ["a note"],
        "speeds": speeds,
        "successes": successes,
        "failed": dict(failed),
        "missing": missing,
    }
    return StudyReport(command="python -m gpu_study", machine=MACHINE, **figures)


def test_report_lists_what_is_not_measured_failed_and_missing(tmp_path):
    report = make_report(missing=["train-a"], failed={"speed-b": "exit code 1"})
    text = report.markdown()
    assert text.count("not measured yet") == 3 and "a note" in text
    assert "Failed: speed-b (exit code 1)" in text and "Still to be run: train-a" in text
    report.write(tmp_path)
    assert not json.loads((tmp_path / "report.json").read_text())["complete"]


def test_report_shows_rates_with_intervals_and_speeds_with_their_parts():
    cell = TrainingCell(variant="fast", precision="bf16", compile=True)
    speed = SpeedFigure(cell=cell, samples_per_s=1234.5, parts={"data": 0.01, "forward_backward": 0.7, "update": 0.09})
    outcomes = [Outcome.SUCCESS] * 45 + [Outcome.FAILURE] * 5
    summary = Tally.of([SimpleNamespace(outcome=outcome, stage=0, steps=300) for outcome in outcomes])
    success = SuccessFigure(variant="fast", task="insertion", seed=None, summary=summary, training_s=600.0)
    report = make_report(speeds=[speed], successes=[success])
    assert "| fast | bf16 | yes | 1234 | 0.01 | 0.7 | 0.09 |" in report.markdown()
    expected = (
        "| fast | insertion | all | 45/50 = 90.0 % (95 % interval 78.6 to 95.7, exact 78.19 to 96.67) | 32 % | 10.0 |"
    )
    assert expected in report.markdown()
    assert report.to_dict()["complete"]


def test_report_shows_steps_of_large_models_and_why_some_were_not_measured():
    cells = [ModelCell(preset="paligemma_3b", attention=name, batch_size=8) for name in ("sdpa", "flash_attention_2")]
    result = SpeedResult(
        parameters=3_041_000_000, trained=120_000_000, seconds=(0.5, 0.4, 0.9), peak_bytes=21_040_000_000
    )
    results = [result, SpeedResult(obstacle="it is not installed")]
    models = [ModelFigure(cell=cell, result=found) for cell, found in zip(cells, results, strict=True)]
    text = make_report(models=models).markdown()
    assert "| paligemma_3b | sdpa | 8 | 120 of 3041 M | 500.0 | 16 | 21.0 |" in text
    assert "| paligemma_3b | flash_attention_2 | 8 |  | not measured: it is not installed |" in text


def study(*flags):
    command = [sys.executable, "-m", "ambidex.benchmarks.studies.gpu_study", *flags]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_smoke_study_runs_every_job_once(tmp_path):
    flags = ("--smoke", "--device", "cpu", "--output-dir", str(tmp_path / "study"))
    done = study(*flags)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("/9 ") == 9
    report = json.loads((tmp_path / "study" / "report.json").read_text())
    assert report["complete"] and report["machine"]["gpu"] == {}
    assert [figure["cell"]["precision"] for figure in report["speeds"]] == ["fp32", "bf16"]
    assert all(figure["samples_per_s"] > 0 and figure["parts"]["update"] > 0 for figure in report["speeds"])
    sdpa, flash = (figure["result"] for figure in report["models"])
    assert min(sdpa["seconds"]) > 0 and "CUDA" in flash["obstacle"]
    (success,) = report["successes"]
    assert success["summary"]["n"] == 2
    assert success["summary"]["errors"] == 0
    again = study(*flags)
    assert again.returncode == 0
    assert "/9 " not in again.stderr
    assert again.stdout == done.stdout


@pytest.mark.gpu
def test_smoke_study_runs_on_a_gpu(tmp_path):
    done = study("--smoke", "--device", "cuda", "--output-dir", str(tmp_path / "study"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "study" / "report.json").read_text())["machine"]["gpu"]["name"]
