"""What a built wheel holds, and that it works where the checkout is not in sight."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("assets", "envs", "scripted_policies", "policies", "recorders", "benchmarks")
SOURCES = ("src", *FOLDERS, "pyproject.toml", "README.md", "LICENSE")


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, because setuptools leaves a build folder where it works."""
    checkout, target = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        run("cp", "-RP", ROOT / name, checkout, cwd=ROOT)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", target, checkout, cwd=checkout)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_every_source_and_data_file(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"ambidex/{file.relative_to(ROOT).as_posix()}"
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".xml", ".bddl", ".json", ".md", ".html", ".css", ".js")
    }
    assert expected - held == set()
    assert {"ambidex/__init__.py", "ambidex/py.typed"} <= held


def test_the_wheel_installs_one_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ambidex"}


def test_an_installed_wheel_makes_an_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    # The dependencies come from this environment; its editable install of the project is not seen through PYTHONPATH.
    env = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    code = "import ambidex; print(ambidex.__file__); ambidex.make('insertion').reset(0)"
    assert run(python, "-c", code, cwd=tmp_path, env=env).startswith(str(tmp_path))
    commands = {"record-episodes", "render-episodes", "verify-episodes", "watch-rollouts"}
    assert commands <= {file.name for file in python.parent.iterdir()}
