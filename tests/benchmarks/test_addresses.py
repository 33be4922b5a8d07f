"""Programs can be run at their address and, with a warning, at the one that they had up to version 0.1."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from ambidex.benchmarks.moved_programs import MOVED

WITHOUT_FLAGS = "ambidex.benchmarks.studies.stopping_study"
RUN_AT_BOTH = [f"ambidex.benchmarks.{name}" for name in ("expert_rates", "code_grid", "rollout_speed")]
each_address = pytest.mark.parametrize("old", MOVED)


def run_help(address):
    return subprocess.run([sys.executable, "-m", address, "--help"], capture_output=True, text=True)


def test_the_throughput_program_prints_its_help():
    done = run_help("ambidex.benchmarks.throughput")
    assert (done.returncode, done.stderr) == (0, "") and "usage: " in done.stdout


@pytest.mark.parametrize("old", [old for old in MOVED if MOVED[old] != WITHOUT_FLAGS])
def test_a_program_prints_its_help_and_its_old_address_the_same_with_a_warning(old):
    done = run_help(MOVED[old])
    assert (done.returncode, done.stderr) == (0, "") and "usage: " in done.stdout
    if old in RUN_AT_BOTH:
        at_old = run_help(old)
        assert (at_old.returncode, at_old.stdout) == (0, done.stdout)
        assert "DeprecationWarning" in at_old.stderr and MOVED[old] in at_old.stderr and "0.4" in at_old.stderr


@each_address
def test_old_and_new_address_are_the_same_module(old, monkeypatch):
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=MOVED[old]) as caught:
        module = import_module(old)
    assert caught[0].filename != "<frozen importlib._bootstrap>" and "moved_programs" not in caught[0].filename
    assert module is import_module(MOVED[old]) and module.__name__ == module.__spec__.name == MOVED[old]


@each_address
def test_old_and_new_address_are_the_same_file(old):
    assert find_spec(old).origin == find_spec(MOVED[old]).origin


def test_other_modules_of_these_folders_have_one_address():
    assert find_spec("ambidex.benchmarks.speed.timing")
    assert not find_spec("ambidex.benchmarks.timing")


def test_functions_of_the_package_are_imported_when_they_are_used():
    code = (
        "import sys, ambidex.benchmarks as b; loaded = {'mujoco', 'scipy', 'torch'} & set(sys.modules);"
        "print(sorted(loaded), b.benchmark.__module__, b.compare.__module__, b.BenchmarkConfig().seed)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    modules = ("ambidex.benchmarks.evaluation.benchmark", "ambidex.benchmarks.comparison.compare")
    assert done.stdout.split() == ["[]", *modules, "100000"], done.stderr


def test_the_flags_of_the_gpu_study_need_no_torch():
    code = "import sys, ambidex.benchmarks.studies.gpu_study; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
