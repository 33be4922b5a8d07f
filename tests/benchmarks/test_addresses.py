"""Programs can be run at their address, and at the one that they had up to version 0.1."""

import subprocess
import sys

import pytest

PROGRAMS = {
    "speed": ("forward_speed", "rollout_speed", "training_speed"),
    "studies": ("expert_rates", "gpu_study"),
    "codes": ("code_grid", "code_usage"),
}
ADDRESSES = [f"ambidex.benchmarks.{folder}.{name}" for folder, names in PROGRAMS.items() for name in names]


@pytest.mark.parametrize("address", ["ambidex.benchmarks.throughput", *ADDRESSES, "ambidex.benchmarks.expert_rates"])
def test_program_prints_its_help(address):
    done = subprocess.run([sys.executable, "-m", address, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "usage: " in done.stdout


def test_old_and_new_address_are_the_same_file():
    code = (
        "from importlib.util import find_spec; print(*(find_spec('ambidex.benchmarks.' + name).origin for name in {}))"
    )
    names = [path for folder, programs in PROGRAMS.items() for name in programs for path in (name, f"{folder}.{name}")]
    names += ["stopping_study", "studies.stopping_study"]
    done = subprocess.run([sys.executable, "-c", code.format(names)], capture_output=True, text=True)
    files = done.stdout.split()
    assert len(files) == len(names) and files[::2] == files[1::2], done.stderr


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
