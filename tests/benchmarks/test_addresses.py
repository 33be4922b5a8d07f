"""Programs can be run at their address and, with a warning, at the one that they had up to version 0.1."""

import runpy
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from ambidex.benchmarks.moved_programs import MOVED

WITHOUT_FLAGS = "ambidex.benchmarks.studies.stopping_study"
EXPERT_RATES, CODE_USAGE = (f"ambidex.benchmarks.{name}" for name in ("expert_rates", "code_usage"))
NEW = list(MOVED.values())
each_address = pytest.mark.parametrize("old", MOVED)


def run_help(address):
    return subprocess.run([sys.executable, "-m", address, "--help"], capture_output=True, text=True)


@pytest.mark.parametrize("address", ["ambidex.benchmarks.throughput", *(new for new in NEW if new != WITHOUT_FLAGS)])
def test_a_program_prints_its_help(address, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [address, "--help"])
    monkeypatch.delitem(sys.modules, address, raising=False)  # runpy warns of a module that is imported already
    with pytest.raises(SystemExit) as end:
        runpy.run_module(address, run_name="__main__", alter_sys=True)
    assert not end.value.code and capsys.readouterr().out.startswith("usage: ")


@pytest.mark.parametrize("old", [EXPERT_RATES, pytest.param(CODE_USAGE, marks=pytest.mark.slow)])
def test_a_program_prints_the_same_at_its_old_address_with_a_warning(old):
    at_new, at_old = run_help(MOVED[old]), run_help(old)
    assert (at_new.returncode, at_new.stderr) == (0, "") and "usage: " in at_new.stdout
    assert (at_old.returncode, at_old.stdout) == (0, at_new.stdout)
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
        "benchmark = b.benchmark.__module__, 'scipy' in sys.modules;"
        "print(sorted(loaded), *benchmark, b.compare.__module__, b.BenchmarkConfig().seed)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    benchmark, compare = "ambidex.benchmarks.evaluation.benchmark", "ambidex.benchmarks.comparison.compare"
    assert done.stdout.split() == ["[]", benchmark, "False", compare, "100000"], done.stderr


def test_the_flags_of_the_gpu_study_need_no_torch():
    code = "import sys, ambidex.benchmarks.studies.gpu_study; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
