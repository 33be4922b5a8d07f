import json
import subprocess
import sys

import pytest
from paired_results import paired, write_outcomes
from results_folder import FIRST_SEED, make_row, rewrite_row, write_results

from ambidex.benchmarks.compare_policies import main
from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.statistics.paired import PairedCounts, difference_interval, exact_p, holm
from ambidex.benchmarks.statistics.sample_size import pairs_needed


@pytest.fixture
def folders(tmp_path):
    """Writes two results folders with these paired counts, or with a letter per episode; see `write_outcomes`."""

    def make(*counts, letters=None, tasks=None):
        a, b = letters or paired(*counts)
        return write_outcomes(tmp_path / "a", a), write_outcomes(tmp_path / "b", b, policy="scripted")

    return make


@pytest.fixture
def command(capsys):
    """Runs the command; returns its exit status, stdout with lines joined, and stderr."""

    def run(*argv):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return ended.value.code, " ".join(out.split()), err

    return run


def compared(*paths, **flags):
    return compare(CompareConfig(results=paths, **flags))


def test_the_verdict_names_the_better_policy_with_interval_and_p_value(folders, command):
    a, b = folders(30, 4, 20, 46)
    status, out, err = command(a, b)
    assert (status, err) == (0, "")
    low, high = difference_interval(PairedCounts(both=30, only_a=20, only_b=4, neither=46))
    difference = f"+16.0 [{100 * low:+.1f}, {100 * high:+.1f}] points, exact McNemar p = 0.0015, 100 episodes."
    assert out.rstrip().endswith(f"B ({b}) is better than A ({a}): difference {difference}")
    assert "34/100 = 34.0 % [25.5, 43.7]" in out and "50/100 = 50.0 % [40.4, 59.6]" in out
    assert f"-16.0 [{-100 * high:+.1f}, {-100 * low:+.1f}]" in out


def test_without_a_difference_the_report_says_how_many_more_episodes_it_takes(folders, command):
    status, out, _ = command(*folders(30, 10, 8, 52))
    assert status == 0 and "No difference shown between A" in out and "p = 0.81" in out
    assert "To detect a difference of 10 points with probability 0.8, about 51 more episodes of each policy" in out
    assert pairs_needed(0.18, 0.1, alpha=0.05, power=0.8) == 151
    assert "not shown 51 " in out
    _, out, _ = command(*folders(30, 10, 8, 52), "--difference", "0.3")
    assert "There were enough episodes to detect a difference of 30 points" in out


def test_the_report_says_whether_the_verdict_holds_if_you_looked_during_the_run(folders, command):
    _, out, _ = command(*folders(30, 20, 8, 42))
    assert (
        "p = 0.036" in out
        and "If you looked at results during the run" in out
        and "the evidence is not sufficient yet" in out
    )
    _, out, _ = command(*folders(10, 40, 8, 42))
    assert "This also holds if you looked" in out


def test_evidence_that_later_episodes_reversed_is_reported(folders, command):
    letters = "s" * 10 + "f" * 10, "f" * 10 + "s" * 10
    _, out, _ = command(*folders(letters=letters))
    assert "No difference shown" in out and "After 10 episodes the sequential test had shown one" in out


def test_errors_count_as_not_successful_and_are_shown(folders, command):
    a, b = folders(letters=("sseff", "sfsee"))
    (comparison,) = compared(a, b)
    assert (comparison.together.counts.successes_a, comparison.together.counts.successes_b) == (2, 2)
    assert [comparison.tally(side).errors for side in (comparison.a, comparison.b)] == [1, 2]
    _, out, _ = command(a, b)
    assert "errors A, B" in out and " 1, 2 " in out


def test_exchanging_the_folders_mirrors_the_result(folders):
    a, b = folders(10, 12, 3, 25)
    (forward,), (backward,) = compared(a, b), compared(b, a)
    assert forward.together.exact_p == backward.together.exact_p
    assert forward.together.counts.difference == -backward.together.counts.difference
    assert (forward.together.better, backward.together.better) == ("a", "b")


def test_only_common_episodes_are_compared_and_the_others_listed(tmp_path, command):
    a = write_outcomes(tmp_path / "a", {"insertion": "ssssffff", "transfer_cube": "ss"})
    b = write_outcomes(tmp_path / "b", "ffffffff", first=FIRST_SEED + 4, policy="random")
    status, out, _ = command(a, b)
    assert status == 0 and "4 episodes with the same initial states" in out and "0/4 = 0.0 %" in out
    assert "only in A: insertion 100000 to 100003; transfer_cube 100000 to 100001." in out
    assert "only in B: insertion 100008 to 100011." in out


def test_single_tasks_are_corrected_together(tmp_path, command):
    a = write_outcomes(tmp_path / "a", {"insertion": "s" * 12 + "f" * 8, "transfer_cube": "s" * 10 + "f" * 10})
    b = write_outcomes(tmp_path / "b", {"insertion": "f" * 20, "transfer_cube": "s" * 11 + "f" * 9}, policy="hold")
    (comparison,) = compared(a, b)
    raw = [exact_p(12, 0), exact_p(0, 1)]
    assert [task.corrected_p for task in comparison.tasks.values()] == holm(raw)
    assert comparison.together.corrected_p == exact_p(12, 1)
    _, out, _ = command(a, b)
    assert "Single tasks: A is better in insertion; no difference shown in 1 of 2." in out


def test_the_sequential_test_takes_episodes_by_seed_so_that_more_seeds_are_appended(tmp_path):
    outcomes = {"insertion": "sf", "transfer_cube": "ss"}
    a, b = write_outcomes(tmp_path / "a", outcomes), write_outcomes(tmp_path / "b", outcomes, policy="hold")
    (comparison,) = compared(a, b)
    assert comparison.episodes == tuple(
        (task, seed) for seed in (FIRST_SEED, FIRST_SEED + 1) for task in ("insertion", "transfer_cube")
    )


def test_every_two_of_three_folders_are_compared_with_holms_correction(tmp_path, command):
    letters = {"a": "s" * 18 + "f" * 12, "b": "s" * 10 + "f" * 20, "c": "s" * 9 + "f" * 21}
    paths = [write_outcomes(tmp_path / name, outcomes, policy=name) for name, outcomes in letters.items()]
    comparisons = compared(*paths)
    assert [(c.a.letter, c.b.letter) for c in comparisons] == [("A", "B"), ("A", "C"), ("B", "C")]
    raw = [exact_p(8, 0), exact_p(9, 0), exact_p(1, 0)]
    assert [c.together.corrected_p for c in comparisons] == holm(raw)
    _, out, _ = command(*paths)
    assert "after Holm's correction for 3 comparisons" in out
    assert f"C ({paths[2]}): difference +30.0" in out  # A is better than C
    assert out.count("is better than") == 2 and out.count("No difference shown between") == 1


def test_the_json_file_has_everything(folders, command, tmp_path):
    a, b = folders(30, 4, 20, 46)
    status, out, _ = command(a, b, "--json", tmp_path / "c.json", "--quiet")
    assert (status, out) == (0, "")
    written = json.loads((tmp_path / "c.json").read_text())
    assert written["command"].startswith("compare-policies ") and "mujoco" in written["versions"]
    assert [folder["policy"] for folder in written["folders"]] == ["act, chunk:100", "scripted, chunk:100"]
    (comparison,) = written["comparisons"]
    together = comparison["together"]
    assert together["counts"] == {"both": 30, "only_a": 4, "only_b": 20, "neither": 46}
    assert together["exact_p"] == exact_p(4, 20) and together["better"] == "B"
    assert together["difference"] == pytest.approx(-0.16) and together["sequential"]["e_value"] > 1
    assert comparison["tasks"]["insertion"]["more_pairs"] == together["more_pairs"]
    assert comparison["episodes"]["insertion"] == list(range(FIRST_SEED, FIRST_SEED + 100))
    assert "B" in comparison["verdict"]


def test_an_unfinished_run_is_compared_and_reported(tmp_path, command):
    asked = "run-benchmark --policy act --task insertion --episodes 4"
    a = write_outcomes(tmp_path / "a", "ssf", complete=False, command=asked)
    with (a / "results.jsonl").open("a") as file:
        file.write('{"task": "insertion", "se')  # an incomplete row of a killed run
    b = write_outcomes(tmp_path / "b", "ssff", policy="hold")
    (b / "benchmark.json").unlink()
    status, out, _ = command(a, b)
    assert status == 0 and "3 episodes with the same initial states" in out
    assert f"A ({a}) is not finished" in out and f"B ({b}) is not finished" not in out
    assert f"B ({b}) has no benchmark.json" in out


def test_without_benchmark_json_the_summary_says_whether_a_run_is_finished(tmp_path, command):
    a, b = (write_outcomes(tmp_path / name, "ssf", policy=name, complete=False) for name in ("act", "hold"))
    (a / "benchmark.json").unlink()
    _, out, _ = command(a, b)
    assert f"A ({a}) is not finished: no summary says" in out and f"B ({b}) is not finished" not in out


def test_different_versions_are_listed(tmp_path, command):
    a = write_outcomes(tmp_path / "a", "ss")
    b = write_results(tmp_path / "b", [make_row(policy="hold", versions={"mujoco": "4.0.1"})], videos=False)
    _, out, _ = command(a, b)
    assert "Versions differ: ambidex 0.1.0 in A and none in B; mujoco 4.0.0 in A and 4.0.1 in B." in out


def test_different_models_of_the_scene_are_listed(tmp_path, command):
    rows = {name: [make_row(policy=name, model_sha256=name[0] * 64)] for name in ("act", "hold", "before")}
    a, b, old = (write_results(tmp_path / name, rows[name], videos=False) for name in rows)
    rewrite_row(old, 0, model_sha256="")
    note = "The model of robot, objects or scene is not the same in both: insertion."
    assert note in command(a, b)[1]
    assert note not in command(a, old)[1]


def test_help_imports_neither_scipy_nor_the_simulator():
    code = "import sys; sys.argv = ['compare-policies', '--help']\nimport atexit\n"
    code += "atexit.register(lambda: print('loaded', sorted({'scipy.stats', 'mujoco', 'torch'} & set(sys.modules))))\n"
    code += "from ambidex.benchmarks.compare_policies import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "RESULTS" in done.stdout.upper() and "loaded []" in done.stdout, done.stderr
