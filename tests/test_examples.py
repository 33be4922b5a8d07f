"""Every script and notebook of examples/ runs as its docstring says, and is listed in the README of the folder."""

import ast
import os
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import ambidex
from ambidex.worker_pool.pool import Pool

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))

# A notebook is executed in a process of its own, because Jupyter's packages emit warnings, which are errors here.
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a script as `python SCRIPT ARGUMENTS` does, in an empty folder, and returns what it prints.

    In this process, which has imported torch and the simulator already, except for the workers of one script.
    """
    start = Pool.__init__

    def run(script: Path, *arguments: str | Path) -> str:
        if script.stem != "record_demonstrations":
            monkeypatch.setattr(Pool, "__init__", lambda self, factory, workers: start(self, factory, 0))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(script), *map(str, arguments)])
        runpy.run_path(str(script), run_name="__main__")
        return capsys.readouterr().out

    return run


def train_briefly(folder: Path) -> Path:
    recording = ambidex.RecordConfig(
        task="transfer_cube", num_episodes=2, cameras=(), output_dir=folder / "data", workers=0, quiet=True
    )
    ambidex.record(recording)
    config = ambidex.train_config("act", "tiny", "state", data=folder / "data", steps=2, warmup_steps=1, batch_size=2)
    return ambidex.train(replace(config, output_dir=folder / "run", quiet=True))


def with_two_episodes(example: Path, folder: Path) -> Path:
    """A copy that records and benchmarks two episodes; each takes a second. The slow test runs scripts as they are."""
    copy = folder / example.name
    copy.write_text(re.sub(r"episodes=\d+", "episodes=2", example.read_text()))
    return copy


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_and_writes_into_its_folder_only(script, run, tmp_path, tmp_path_factory):
    script = with_two_episodes(script, tmp_path_factory.mktemp("copy"))
    trained = [train_briefly(tmp_path_factory.mktemp("trained"))] if script.stem == "evaluate_a_checkpoint" else []
    assert run(script, "out", *trained)
    assert [path.name for path in tmp_path.iterdir() if path.name != "MUJOCO_LOG.TXT"] == ["out"]
    assert any((tmp_path / "out").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_can_run_again(script, run, tmp_path_factory):
    trained = [train_briefly(tmp_path_factory.mktemp("trained"))] if script.stem == "evaluate_a_checkpoint" else []
    for _ in range(2):
        run(script, "out", *trained)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_short_and_says_how_to_run_it(script):
    text = script.read_text()
    assert 20 <= len(text.splitlines()) <= 70
    assert f"python examples/{script.name}" in ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_uses_only_what_is_public(script):
    documented = {"ambidex", "ambidex.envs.wrappers.dm_control_env"}
    tree = ast.parse(script.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name.startswith("ambidex")} <= documented


def test_the_readme_lists_every_example_once():
    listed = re.findall(r"\]\(([^)/]+\.(?:py|ipynb))\)", (EXAMPLES / "README.md").read_text())
    assert sorted(listed) == sorted(path.name for path in (*SCRIPTS, *NOTEBOOKS))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(notebook, tmp_path):
    environment = {**os.environ, "JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": str(tmp_path)}
    command = [sys.executable, "-c", EXECUTE, with_two_episodes(notebook, tmp_path), "executed.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "image/png" in (tmp_path / "executed.ipynb").read_text()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(notebook):
    nbformat = pytest.importorskip("nbformat")
    cells = nbformat.read(notebook, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert [cell for cell in code if cell.outputs or cell.execution_count is not None] == []
