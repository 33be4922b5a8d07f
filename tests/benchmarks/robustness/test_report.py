"""The figures of robustness reports, on hand-made results whose numbers are computed here by hand."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace

import pytest
from results_folder import make_row, rewrite_row, write_results
from robustness_folder import SEED, SENT, write_cell, write_suite

from ambidex.benchmarks.report_robustness import main
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo, CheckpointId
from ambidex.benchmarks.robustness.difference import RobustnessDifference
from ambidex.benchmarks.robustness.figures import Change
from ambidex.benchmarks.robustness.folder import EXPERT, RobustnessFolder
from ambidex.benchmarks.robustness.funnel import Funnel, Reached
from ambidex.benchmarks.robustness.report import RobustnessReport
from ambidex.benchmarks.statistics.paired import PairedCounts, difference_interval, exact_p
from ambidex.benchmarks.statistics.sample_size import detectable_difference, exact_power
from ambidex.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    cells = {"camera1": "11110000", "camera2": "10000000", "dynamics1": "11111100", "dynamics2": "00111101"}
    return write_suite(tmp_path / "act", "11111100", cells, experts={"dynamics1": "1" * 8, "dynamics2": "01111110"})


@pytest.fixture
def report(folder):
    return RobustnessReport.of(RobustnessFolder.open(folder))


def figure(report, axis, level):
    (found,) = [each for each in report.axes if each.axis == axis]
    return found.by_level[level]


def test_a_cell_is_compared_with_its_clean_twins(report):
    cell = figure(report, "camera", 2)
    assert (cell.perturbed.successes, cell.clean.successes, cell.infeasible) == (1, 6, 0)
    assert cell.statistics.counts == PairedCounts(both=1, only_a=0, only_b=5, neither=2)
    assert cell.statistics.difference_interval == difference_interval(cell.statistics.counts)
    assert cell.statistics.exact_p == exact_p(0, 5) == 0.0625


def test_p_values_are_corrected_for_all_cells(report):
    cells = [figure(report, axis, level).statistics for axis in ("camera", "dynamics") for level in (1, 2)]
    # camera:1 loses 2 of 2 discordant pairs, dynamics:1 none, dynamics:2 one of the 6 feasible pairs.
    assert [cell.exact_p for cell in cells] == [0.5, 0.0625, 1.0, 1.0]
    assert [cell.corrected_p for cell in cells] == [1.0, 0.25, 1.0, 1.0]
    assert {cell.tests for cell in cells} == {4}


def test_episodes_that_the_expert_does_not_solve_are_left_out_with_their_twins(report):
    cell = figure(report, "dynamics", 2)
    assert cell.infeasible == 2  # seeds 0 and 7
    assert [key[1] - SEED for key in cell.pairs] == [1, 2, 3, 4, 5, 6]
    assert cell.statistics.counts == PairedCounts(both=4, only_a=0, only_b=1, neither=1)


def test_an_axis_is_the_mean_over_its_levels(report):
    camera, dynamics = report.axes
    assert camera.rate == pytest.approx((4 / 8 + 1 / 8) / 2)
    # Changes of seeds 0 to 7: at level 1 0 0 0 0 -1 -1 0 0, at level 2 0 -1 -1 -1 -1 -1 0 0.
    assert camera.change.mean == pytest.approx(-(0 + 0.5 + 0.5 + 0.5 + 1 + 1 + 0 + 0) / 8)
    # Seeds 0 and 7 are not feasible at level 2; with level 1 only they would count as smaller losses.
    assert (dynamics.change.mean, dynamics.change.episodes) == (pytest.approx(-0.5 / 6), 6)
    assert report.rate == pytest.approx((camera.rate + dynamics.rate) / 2)
    # Over the four cells, seeds 1 to 6 change by -0.5, -0.25, -0.25, -0.5, -0.5 and 0.
    assert report.change.mean == pytest.approx(-2 / 6)


def test_cells_whose_expert_has_not_run_are_not_reported(folder):
    shutil.rmtree(folder / EXPERT / "dynamics2")
    report = RobustnessReport.of(RobustnessFolder.open(folder))
    assert [cell.cell.level for cell in report.axes[1].cells] == [1]
    assert any(note.startswith("Not finished: dynamics:2.") for note in report.notes)


def test_cells_of_another_policy_are_refused(folder):
    for name, digest in (("clean", "a"), ("camera1", "b")):
        info = BenchmarkInfo.read(folder / name)
        replace(info, checkpoint=CheckpointId(path="runs/act", sha256=digest)).write(folder / name)
    with pytest.raises(DatasetError, match="different policies"):
        RobustnessReport.of(RobustnessFolder.open(folder))


def test_axes_count_equally_also_with_different_numbers_of_levels(tmp_path):
    cells = {"camera1": "0000", "camera2": "0000", "dynamics1": "1111"}
    experts = {"dynamics1": "1111", "dynamics2": "0000"}
    report = RobustnessReport.of(
        RobustnessFolder(write_suite(tmp_path / "a", "1111", {**cells, "dynamics2": "1110"}, experts=experts))
    )
    assert [axis.change.mean for axis in report.axes] == [-1.0, 0.0]
    assert (report.rate, report.change.mean) == (0.5, -0.5)


def test_the_interval_of_a_mean_change_is_students(report):
    # scipy.stats.ttest_1samp([0, -1, 1, 1, 0], 0).confidence_interval()
    change = Change.of({("insertion", i): value for i, value in enumerate((0.0, -1.0, 1.0, 1.0, 0.0))})
    assert change.mean == pytest.approx(0.2)
    assert change.interval == pytest.approx((-0.8388, 1.0), abs=1e-4)


def test_equal_changes_still_have_an_interval():
    change = Change.of({("insertion", i): 0.0 for i in range(20)})
    assert change.mean == 0.0
    assert change.interval[1] == pytest.approx(
        difference_interval(PairedCounts(both=20, only_a=0, only_b=0, neither=0))[1]
    )


def test_the_detectable_difference_is_the_smallest_with_that_power():
    found = detectable_difference(50, 0.2, alpha=0.05, power=0.8)
    assert exact_power(50, max(0.2, found), found, alpha=0.05) >= 0.8
    assert exact_power(50, 0.2, found - 0.002, alpha=0.05) < 0.8
    assert detectable_difference(3, 0.0, alpha=0.05, power=0.8) is None
    assert detectable_difference(500, 0.2, alpha=0.05, power=0.8) < found


def test_what_the_policy_was_sent_is_checked(tmp_path):
    folder = write_suite(
        tmp_path / "act", "11", {"camera1": "10", "dynamics1": "10"}, levels=(1,), experts={"dynamics1": "11"}
    )
    assert RobustnessReport.of(RobustnessFolder(folder)).notes == []
    write_cell(folder / "camera1", "10", wall_s=3.0, sent=SENT | {"instruction": "view 0 0 100"})
    write_cell(folder / "dynamics1", "10", wall_s=4.0, sent=SENT | {"qpos": "c"})
    assert RobustnessReport.of(RobustnessFolder(folder)).notes == [
        "camera:1: instruction of the first request differs in 2 of 2 pairs, and should not.",
        "camera:1: the first requests of all 2 pairs are the same, so nothing changed.",
        "dynamics:1: qpos of the first request differs in 2 of 2 pairs, and should not.",
    ]


def test_csv_and_json_have_the_figures(folder, report, run_command):
    status, out, _ = run_command(main, folder)
    assert status == 0
    assert re.search(r"camera +1 +4/8 = 50\.0 \[21\.5, 78\.5\] +-25\.0 \[", out)
    rows = list(csv.DictReader(io.StringIO((folder / "report.csv").read_text())))
    assert [(row["axis"], row["level"], row["successes"]) for row in rows] == [
        ("camera", "1", "4"),
        ("camera", "2", "1"),
        ("dynamics", "1", "6"),
        ("dynamics", "2", "4"),
    ]
    stored = json.loads((folder / "report.json").read_text())
    assert stored["mean_change"]["mean"] == pytest.approx(report.change.mean)
    assert stored["axes"][0]["levels"][1]["sent"] == {"images.top": 8, "instruction": 0, "qpos": 0}
    for ending in ("png", "svg", "pdf"):
        assert (folder / f"robustness.{ending}").stat().st_size > 1000


def test_it_is_said_at_which_stage_episodes_are_lost(tmp_path):
    cells = {"camera1": "11110000", "camera2": "10000000"}
    folder = write_suite(tmp_path / "act", "11111100", cells, axes=("camera",))
    write_cell(folder / "camera2", "10000000", wall_s=9.0, sent=SENT | {"images.top": "c"}, failed_stage=1)
    (funnel,) = RobustnessReport.of(RobustnessFolder(folder)).funnels
    # Of 8 seeds, 6 clean ones succeed; the others lift the peg. Of camera:2 the failures only touch it.
    assert [(each.stage, each.clean, each.perturbed) for each in funnel.reached] == [
        ("touched", 16, 16),
        ("lifted", 16, 9),
        ("contacted", 12, 5),
        ("inserted", 12, 5),
        ("success", 12, 5),
    ]
    assert (funnel.pairs, funnel.largest_loss) == (16, ("lifted", 7))


@pytest.mark.parametrize(
    ("clean", "perturbed", "expected"),
    [
        ((20, 18, 18, 18), (20, 9, 8, 7), ("lifted", 9)),  # more is lost by the end, but most of it there
        ((20, 18, 18, 18), (19, 18, 18, 12), ("success", 6)),  # counts from the stage before, where none was lost
        ((20, 18, 18, 18), (20, 18, 18, 20), None),
    ],
)
def test_most_is_lost_where_the_loss_grows_most(clean, perturbed, expected):
    names = ("touched", "lifted", "inserted", "success")
    reached = [Reached(stage=n, clean=a, perturbed=b) for n, a, b in zip(names, clean, perturbed, strict=True)]
    funnel = Funnel(task="insertion", axis="camera", level=1, pairs=20, reached=reached)
    assert funnel.largest_loss == expected


def test_files_have_the_stages_of_each_level_without_infeasible_pairs(folder, run_command):
    status, out, _ = run_command(main, folder)
    assert status == 0
    rows = list(csv.DictReader(io.StringIO((folder / "stages.csv").read_text())))
    lines = {(row["axis"], row["level"], row["stage"]): (row["pairs"], row["clean"], row["perturbed"]) for row in rows}
    assert len(lines) == len(rows) == 4 * 5
    assert lines["camera", "2", "inserted"] == ("8", "6", "1")
    assert lines["dynamics", "2", "lifted"] == ("6", "6", "6")
    assert lines["dynamics", "2", "success"] == ("6", "5", "4")
    for text in (out, (folder / "report.md").read_text()):
        assert re.search(
            r"camera[ |]+16[ |]+16 to 16[ |]+16 to 16[ |]+12 to 5[ |]+12 to 5[ |]+12 to 5[ |]+contacted, 7", text
        )
    assert len(json.loads((folder / "report.json").read_text())["stages"]) == len(rows)


def test_each_task_has_its_own_stages(tmp_path):
    folder = write_suite(tmp_path / "act", "11", {"camera1": "10"}, axes=("camera",), levels=(1,))
    for name, outcomes in (("clean", "11"), ("camera1", "00")):
        rows = ResultsFolder(folder / name).rows
        others = [
            make_row("transfer_cube", SEED + i, "success" if each == "1" else "failure", 4 if each == "1" else 0)
            for i, each in enumerate(outcomes)
        ]
        write_results(folder / name, [*rows, *others], videos=False)
    funnels = RobustnessReport.of(RobustnessFolder(folder)).funnels
    assert [(each.task, each.pairs, each.largest_loss) for each in funnels] == [
        ("insertion", 2, ("contacted", 1)),
        ("transfer_cube", 2, ("touched", 2)),
    ]
    assert [each.stage for each in funnels[1].reached][3:] == ["lifted with left", "success"]


def test_two_policies_are_compared_by_what_they_lose(folder, tmp_path, run_command):
    other = write_suite(
        tmp_path / "other", "11111111", {"camera1": "11111111", "camera2": "00001111"}, axes=("camera",)
    )
    status, _, _ = run_command(main, folder, other, "--output-dir", tmp_path / "both")
    assert status == 0
    stored = json.loads((tmp_path / "both" / "report.json").read_text())["differences"]
    assert [(each["axis"], each["level"]) for each in stored] == [
        ("camera", 1),
        ("camera", 2),
        ("camera", "all"),
        ("all axes", "all"),
    ]
    # camera:1: A changes 0 0 0 0 -1 -1 0 0, B nothing. camera:2: A 0 -1 -1 -1 -1 -1 0 0, B -1 -1 -1 -1 0 0 0 0.
    assert [each["difference"]["mean"] for each in stored] == pytest.approx([-2 / 8, -1 / 8, -1.5 / 8, -1.5 / 8])
    status, _, err = run_command(main, folder, other)
    assert status == 2
    assert "--output-dir" in err


def test_policies_are_compared_on_the_episodes_that_both_have_only(tmp_path):
    """Seed 1 is impossible at level 2 for the first policy, in its control mode, and not for the second."""
    cells = {"dynamics1": "11", "dynamics2": "00"}
    folders = [
        write_suite(
            *(tmp_path / str(took), "11", cells),
            experts={"dynamics1": "11", "dynamics2": solved},
            axes=("dynamics",),
            took=took,
        )
        for took, solved in ((1.0, "10"), (11.0, "11"))
    ]

    def compared():
        return RobustnessDifference.of(*(RobustnessReport.of(RobustnessFolder(folder)) for folder in folders))

    assert [each.difference.mean for each in compared().differences] == [0.0] * 4
    rows = [make_row(seed=SEED + i, stage=4, initial_state_sha256=f"{i:064x}") for i in range(2)]
    for cell in ("clean", *cells):
        write_results(folders[1] / cell, rows, videos=False)
        rows = [replace(row, wall_s=row.wall_s + 1) for row in rows]
    with pytest.raises(DatasetError, match="different initial states"):
        compared()


def test_a_policy_without_success_has_nothing_to_lose(tmp_path):
    folder = write_suite(tmp_path / "act", "00", {"camera1": "00"}, axes=("camera",), levels=(1,))
    (note,) = RobustnessReport.of(RobustnessFolder(folder)).notes
    assert note.startswith("No clean episode succeeded")


def test_other_commands_say_what_the_folder_is(folder):
    with pytest.raises(DatasetError, match=r"is a robustness benchmark.*clean"):
        ResultsFolder.open(folder)


@pytest.mark.parametrize("count", [0, 3])
def test_one_or_two_folders_are_expected(folder, count, run_command):
    status, _, err = run_command(main, *[folder] * count)
    assert status == 2
    assert f"got {count} folders" in err


def test_a_folder_of_another_kind_is_refused(tmp_path):
    write_cell(tmp_path / "plain", "11")
    with pytest.raises(DatasetError, match="is not the folder of a robustness benchmark"):
        RobustnessReport.of(RobustnessFolder.open(tmp_path / "plain"))


def test_it_is_counted_how_many_events_have_set_in(tmp_path):
    folder = write_suite(tmp_path / "act", "1111", {"event2": "1101"}, axes=("event",), levels=(2,))
    for i, step in enumerate((30, "", 0, "")):
        rewrite_row(folder / "event2", i, perturbed={"event": {"level": 2, "set_in_step": step}})
    report = RobustnessReport.of(RobustnessFolder.open(folder))
    assert figure(report, "event", 2).events == 2
    assert "the event happened: 2/4 (event:2)" in " ".join(str(report).split())
    (row,) = csv.DictReader(io.StringIO(report.to_csv()))
    assert (row["pairs"], row["events"], row["only_clean"]) == ("4", "2", "1")
