"""Robustness benchmarks: their cells are ordinary results folders, with the same seeds, clean and perturbed."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robustness.folder import Cell, RobustnessFolder
from ambidex.benchmarks.robustness.report import RobustnessReport
from ambidex.benchmarks.robustness.suite import is_robustness, run_robustness
from ambidex.benchmarks.run_benchmark import main
from ambidex.envs.env import make
from ambidex.envs.perturbations.physics.robot_start import RobotStart
from ambidex.errors import EpisodeStartError, UsageError

SPEC = make("insertion", cameras=("top",), image_size=(24, 32)).spec
AXES = ("camera", "wrist_camera", "robot_start", "language", "lag", "dynamics")
SUITE = BenchmarkConfig(
    policy="act", suite="robustness", task="insertion", axes=AXES, levels=(3,), workers=0, quiet=True, device="cpu"
)


def load(path):
    return ToyPolicy(SPEC)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("run") / "checkpoints" / "100")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, checkpoint):
    place = tmp_path_factory.mktemp("robustness") / "act"
    config = replace(SUITE, checkpoint=checkpoint, episodes=2, horizon=20, output_dir=place)
    return run_robustness(config, load=load)


def rows_of(results):
    """Rows without the times that they took."""
    return [replace(row, wall_s=0.0) for row in results.rows]


def test_every_cell_has_the_seeds_of_the_clean_one(folder):
    assert [str(cell) for cell in folder.cells] == ["camera:3", "robot_start:3", "lag:3", "dynamics:3"]
    keys = [row.key for row in folder.results(Cell()).rows]
    assert keys == [("insertion", 100000), ("insertion", 100001)]
    for cell in folder.cells:
        assert [row.key for row in folder.results(cell).rows] == keys
        assert all(set(row.perturbed) == {cell.axis} for row in folder.results(cell).rows)


def test_an_axis_that_the_policy_cannot_notice_is_left_out_with_the_reason(folder):
    assert list(folder.info.left_out) == ["wrist_camera:3", "language:3"]
    assert "gets images of top and no instruction" in folder.info.left_out["wrist_camera:3"]
    assert list(RobustnessReport.of(folder).left_out) == ["wrist_camera", "language"]


def test_a_cell_has_the_rows_of_the_benchmark_with_its_perturbation(folder, checkpoint, tmp_path):
    one = {"perturb": ("robot_start:3",), "episodes": 2, "horizon": 20, "output_dir": tmp_path, "video": "none"}
    config = replace(SUITE, suite=None, axes=None, levels=(), checkpoint=checkpoint, **one)
    benchmark(config, load=load)
    assert rows_of(ResultsFolder(tmp_path)) == rows_of(folder.results(Cell(axis="robot_start", level=3)))


def test_rows_show_what_a_perturbation_changed_in_the_first_request(folder):
    clean = folder.results(Cell()).rows
    for axis, changed in {
        "camera": {"images.top"},
        "robot_start": {"images.top", "qpos"},
        "lag": set(),
        "dynamics": set(),
    }.items():
        for row, twin in zip(folder.results(Cell(axis=axis, level=3)).rows, clean, strict=True):
            assert set(row.first_request) == set(twin.first_request) == {"images.top", "qpos", "objects"}
            parts = {part for part, digest in row.first_request.items() if digest != twin.first_request[part]}
            assert parts == changed, axis
    assert clean[0].first_request["images.top"] != clean[1].first_request["images.top"]


def test_the_expert_runs_where_more_than_images_changes(folder):
    has_run = {cell.axis: bool(folder.expert_results(cell).rows) for cell in folder.cells}
    assert has_run == {"camera": False, "robot_start": True, "lag": False, "dynamics": True}
    # 20 control steps are too few for the expert, so these episodes are not counted as failures of the policy.
    assert len(folder.infeasible(Cell(axis="dynamics", level=3))) == 2
    report = str(RobustnessReport.of(folder))
    assert "dynamics:3: the expert solves none of the 2 perturbed episodes" in report


def test_it_is_resumed_by_its_folder_alone_and_extended(folder, tmp_path, checkpoint):
    few = replace(SUITE, checkpoint=checkpoint, axes=("lag",), episodes=1, horizon=20, output_dir=tmp_path)
    run_robustness(few, load=load)
    resumed = BenchmarkConfig(resume=True, output_dir=tmp_path, episodes=2, workers=0, quiet=True)
    assert is_robustness(resumed)
    extended = run_robustness(resumed, load=load)
    for cell in (Cell(), Cell(axis="lag", level=3)):
        assert rows_of(extended.results(cell)) == rows_of(folder.results(cell))
    with pytest.raises(UsageError, match=r"--axes was lag, now dynamics"):
        run_robustness(replace(few, axes=("dynamics",), resume=True), load=load)


def test_all_cells_have_the_checkpoint_of_the_clean_one(tmp_path):
    """Although a training saves a newer one meanwhile."""
    run = tmp_path / "run"
    last = write_checkpoint(run / "checkpoints" / "100").with_name("last")
    last.symlink_to("100")
    changes = {"checkpoint": run, "axes": ("lag",), "episodes": 1, "horizon": 5, "output_dir": tmp_path / "act"}

    def load_while_training(path):
        if path.name == "100":
            write_checkpoint(path.with_name("200"))
            last.unlink()
            last.symlink_to("200")
        return load(path)

    folder = run_robustness(replace(SUITE, **changes), load=load_while_training)
    assert last.resolve().name == "200"
    assert {Path(folder.results(cell).info.checkpoint.path).name for cell in (Cell(), *folder.cells)} == {"100"}


def test_flags_beside_a_folder_to_resume_are_refused(folder):
    with pytest.raises(UsageError, match="--spread without --policy"):
        run_robustness(BenchmarkConfig(resume=True, output_dir=folder.path, spread="wide"))


def test_a_suite_of_axes_that_cannot_be_noticed_is_refused(tmp_path):
    config = BenchmarkConfig(policy="hold", suite="robustness", task="insertion", axes=("camera",), levels=(1,))
    with pytest.raises(UsageError, match=r"nothing to run: camera \(.*gets no images"):
        run_robustness(replace(config, episodes=1, horizon=12, workers=0, quiet=True, output_dir=tmp_path))


def test_an_axis_whose_episodes_all_fail_does_not_stop_the_others(tmp_path):
    config = BenchmarkConfig(policy="hold", suite="robustness", task="insertion", axes=("robot_start", "dynamics"))
    config = replace(config, levels=(1,), episodes=7, horizon=12, workers=0, quiet=True, output_dir=tmp_path)
    with mock.patch.object(RobotStart, "change_initial_state", side_effect=EpisodeStartError("no direction")):
        folder = run_robustness(config)
    assert [len(folder.results(cell).rows) for cell in folder.cells] == [5, 7]
    assert [str(cell) for cell in folder.unfinished()][:1] == ["robot_start:1"]


def test_an_unfinished_cell_is_named(folder):
    unfinished = RobustnessFolder(folder.path)
    rows = folder.results(Cell(axis="lag", level=3)).path / "results.jsonl"
    text = rows.read_text()
    rows.write_text(text.splitlines()[0] + "\n")
    summary = rows.with_name("summary.json")
    kept = summary.read_text()
    summary.unlink()
    try:
        (note,) = [note for note in RobustnessReport.of(unfinished).notes if "Not finished" in note]
        assert note.startswith("Not finished: lag:3. Resume with: run-benchmark --resume --output-dir")
    finally:
        rows.write_text(text)
        summary.write_text(kept)


def test_a_budget_is_spent_evenly_over_the_axes_that_there_are(checkpoint, tmp_path):
    some = {"axes": ("wrist_camera", "lag"), "budget": 5, "horizon": 5, "output_dir": tmp_path}
    folder = run_robustness(replace(SUITE, checkpoint=checkpoint, **some), load=load)
    assert [len(folder.results(cell).rows) for cell in (Cell(), *folder.cells)] == [2, 2]
    with pytest.raises(UsageError, match="--budget 1: one episode of each task, clean and in 1 cells, is 2"):
        run_robustness(
            replace(SUITE, checkpoint=checkpoint, **some | {"budget": 1, "output_dir": tmp_path / "b"}), load=load
        )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"task": None}, "needs a --task"),
        ({"axes": ("cemera",)}, "Did you mean 'camera'"),
        ({"axes": ("camera:3",)}, "Unknown axis"),
        ({"axes": ()}, "--axes none"),
        ({"check": True}, "--check does not go with"),
        ({"levels": (0,)}, "--levels 0: expected 1 to 5"),
        ({"perturb": ("camera",)}, "--perturb camera does not go with"),
        ({"episodes": 3, "budget": 30}, "exclude each other"),
        ({"checkpoint": "missing"}, "missing"),
    ],
)
def test_impossible_flags_are_refused_and_nothing_is_left_behind(tmp_path, changes, problem):
    place = tmp_path / "act"
    with pytest.raises(UsageError, match=problem):
        run_robustness(replace(SUITE, **{"output_dir": place, **changes}))
    assert not place.exists()


@pytest.mark.parametrize("changes", [{"axes": ("camera",)}, {"levels": (2,)}, {"budget": 30}])
def test_its_flags_are_refused_elsewhere(changes):
    with pytest.raises(UsageError, match="only with --suite robustness"):
        benchmark(BenchmarkConfig(policy="hold", task="insertion", **changes))


def test_the_command_prints_the_report(tmp_path, run_command):
    words = "--policy hold --suite robustness --task insertion --axes dynamics --levels 1 --episodes 1 --horizon 12"
    status, out, err = run_command(main, *words.split(), "--workers", 0, "--output-dir", tmp_path / "hold")
    assert status == 0
    assert "dynamics:1: the expert solves none" in out
    assert "2/2 dynamics:1: 0/1" in err
    assert (tmp_path / "hold" / "report.csv").is_file()
