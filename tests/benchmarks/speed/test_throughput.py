"""The throughput program measures everything it lists; the speeds themselves are not tested."""

import json
import os
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from ambidex.benchmarks.speed.recording import PeakMemory
from ambidex.benchmarks.speed.timing import Effort, Measurement, markdown_table, rate, rates
from ambidex.benchmarks.throughput import Section, ThroughputConfig, main

MEASUREMENTS = {
    ("simulation", "physics_at_home"),
    ("simulation", "physics_with_expert"),
    ("simulation", "control_with_expert"),
    ("simulation", "control_with_expert_ee"),
    ("rendering", "standard_48x64"),
    ("rendering", "studio_48x64"),
    ("rendering", "standard_48x64_2_processes"),
    ("rendering", "studio_48x64_2_processes"),
    *(
        ("recording", f"{what}_{cameras}")
        for what in ("seconds", "processor_seconds", "megabytes", "worker_memory", "read")
        for cameras in ("1_camera", "3_cameras")
    ),
    *(("tasks", name) for name in ("control_transfer_cube", "frames_transfer_cube")),
    *(
        ("libero", name)
        for name in (
            "control_no_cameras",
            "control_two_cameras",
            "control_two_cameras_2_processes",
            "reset",
            "demonstration_seconds",
            "demonstration_steps",
            "demonstration_megabytes",
            "step_milliseconds",
        )
    ),
    *(
        ("training", f"{training}_{what}")
        for what in ("samples", "data", "forward_backward", "update", "logging")
        for training in ("base_images", "tiny_state")
    ),
}


def throughput(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ambidex.benchmarks.throughput", *flags]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_the_command_measures_with_two_processes_and_prints_the_table(tmp_path: Path) -> None:
    done = throughput("--quick", "--quiet", "--tasks", "transfer_cube", "--output", str(tmp_path / "throughput.json"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("\n") == len(MEASUREMENTS) + 2
    figures = json.loads((tmp_path / "throughput.json").read_text())["figures"]
    assert {(row["section"], row["name"]) for row in figures} == MEASUREMENTS


@pytest.mark.parametrize(
    "sections",
    [("simulation", "rendering", "tasks", "libero"), pytest.param(("recording", "training"), marks=pytest.mark.slow)],
)
def test_every_section_is_measured(
    sections: tuple[Section, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "throughput.json"
    main(
        ThroughputConfig(
            output=output, sections=sections, tasks=("transfer_cube",), processes=1, quick=True, quiet=True
        )
    )
    expected = {(part, name) for part, name in MEASUREMENTS if part in sections and not name.endswith("_2_processes")}
    report = json.loads(output.read_text())
    figures = {(row["section"], row["name"]): row for row in report["figures"]}
    assert set(figures) == expected
    assert all(row["value"] > 0 and row["unit"] for row in figures.values())
    if "recording" in sections:
        assert (
            figures["recording", "megabytes_3_cameras"]["value"] > figures["recording", "megabytes_1_camera"]["value"]
        )
    assert {"mujoco", "numpy", "ambidex"} <= set(report["versions"])
    assert report["opengl"]["renderer"]
    assert report["hardware"]["usable_cores"] >= 1
    out, err = capsys.readouterr()
    assert out.count("\n") == len(expected) + 2 and err == ""


def test_wrong_flags_exit_with_2() -> None:
    assert throughput("--processes", "0").returncode == 2
    assert throughput("--sections", "physics").returncode == 2
    assert throughput("--tasks", "transfer_cub").returncode == 2


def test_rate_is_units_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def work() -> int:
        now[0] += 0.01
        return 5

    assert rate(work, 0.1) == pytest.approx(500)
    assert len(rates(work, Effort(seconds=0.02, repeats=3, episodes=0, image_sizes=()))) == 3


def test_ratios_are_relative_to_a_measurement_of_the_same_section() -> None:
    one = Measurement(section="a", name="one", label="one", unit="1/s", samples=(1.0, 2.0, 9.0))
    two = Measurement(section="a", name="two", label="two", unit="1/s", samples=(6.0,), relative_to="one")
    other = Measurement(section="b", name="two", label="three", unit="1/s", samples=(6.0,), relative_to="one")
    lines = markdown_table([one, two, other]).splitlines()[2:]
    assert lines[0] == "| one | 2 | 1 to 9 | 1/s |  |"
    assert lines[1].endswith("| 3.00 x one |")
    assert lines[2].endswith("|  |")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_peak_memory_of_a_worker_is_found_after_it_was_freed() -> None:
    memory = PeakMemory(os.getpid())
    memory.sample()
    assert memory.of_workers() == (0,)
    worker = get_context("spawn").Process(target=exec, args=("import time; bytearray(10**8); time.sleep(0.5)",))
    worker.start()
    while worker.is_alive():
        memory.sample()
        time.sleep(0.02)
    (peak,) = memory.of_workers()
    assert 1e8 < peak < 3e8
