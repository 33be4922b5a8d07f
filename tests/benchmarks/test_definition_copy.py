"""Results of a user's definition outlive the file."""

from dataclasses import replace

import pytest
from benchmarking_fakes import FIRST, HOLD
from definition_text import TEXT, changed

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.benchmarks.videos.make import make_videos
from ambidex.errors import UsageError
from ambidex.recorders.dataset.environment import DEFINITION_COPY

OWN = replace(HOLD, task=None, episodes=1, horizon=3)


@pytest.fixture
def config(tmp_path):
    own = tmp_path / "my_task.bddl"
    own.write_text(TEXT)
    config = replace(OWN, bddl_file=own, output_dir=tmp_path / "results")
    assert benchmark(config).complete and (tmp_path / "results" / DEFINITION_COPY).read_text() == TEXT
    return config


def test_results_are_filmed_and_watched_without_the_file(config, tmp_path):
    config.bddl_file.rename(tmp_path / "elsewhere.bddl")
    (video,) = make_videos(ResultsFolder(config.output_dir), "all", VideoStyle(image_size=(48, 64)), workers=0).videos
    assert video.name == f"{FIRST}_failure.mp4"
    (run,) = read_runs([config.output_dir], VideoStyle(cameras=("frontview",)))
    assert len(run.episodes) == 1


def test_resume_refuses_an_edited_file(config):
    config.bddl_file.write_text(changed("in the drawer", "in a drawer"))
    with pytest.raises(UsageError, match=r"were made with other settings: .*the definition of .* has changed"):
        benchmark(replace(config, episodes=2, resume=True))
    assert len(ResultsFolder(config.output_dir).rows) == 1


def test_workers_refuse_another_text_than_the_plan_has(config):
    plan = make_plan(config)
    config.bddl_file.write_text(changed("in the drawer", "in a drawer"))
    with pytest.raises(UsageError, match=r"The definition .* has changed"):
        plan.task_settings.environment(plan.tasks[0])


def test_results_of_an_older_version_can_be_gone_on_with(config):
    info = BenchmarkInfo.read(config.output_dir)
    specs = {task: replace(spec, definition_sha256="") for task, spec in info.env_specs.items()}
    replace(info, env_specs=specs).write(config.output_dir)
    assert benchmark(replace(config, episodes=2, resume=True)).complete
