"""Files around the code agree with it: versions, workflow, hooks, templates, citation, Makefile, constraints."""

import os
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import ambidex

ROOT = Path(__file__).resolve().parent.parent
YAML_FILES = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read_yaml(path):
    return yaml.safe_load((ROOT / path).read_text())


def test_versions_agree():
    newest = re.search(r"^## (\d+\.\d+\.\d+) \((.*)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    citation = read_yaml("CITATION.cff")
    assert newest and newest[1] == ambidex.__version__ == str(citation["version"])
    assert newest[2] == str(citation["date-released"])


def test_the_licence_is_the_same_everywhere():
    assert PROJECT["license"] == read_yaml("CITATION.cff")["license"] == "Apache-2.0"


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_a_yaml_file_is_valid(path):
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_workflow_calls_the_script_of_ci_with_few_permissions():
    workflow = read_yaml(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_workflow_takes_no_package_from_two_indexes():
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    assert "extra-index" not in text.lower().replace("_", "-")
    (job,) = read_yaml(".github/workflows/ci.yml")["jobs"].values()
    runs = [step.get("run", "") for step in job["steps"]]
    (torch,) = (run for run in runs if "pip install" in run)
    assert runs.index(torch) < runs.index(".ci/run")
    assert "--no-deps --index-url https://download.pytorch.org/whl/cpu torch" in torch


def test_python_versions_agree():
    (job,) = read_yaml(".github/workflows/ci.yml")["jobs"].values()
    tested = job["strategy"]["matrix"]["python"]
    classifier = "Programming Language :: Python :: 3."
    assert tested == [f"3.{text.removeprefix(classifier)}" for text in PROJECT["classifiers"] if classifier in text]
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_local_hooks_run_commands_that_exist():
    (hooks,) = (repo["hooks"] for repo in read_yaml(".pre-commit-config.yaml")["repos"] if repo["repo"] == "local")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for hook in hooks:
        program, *arguments = shlex.split(hook["entry"])
        assert shutil.which(program, path=programs), hook["id"]
        assert all((ROOT / argument).is_file() for argument in arguments if argument.endswith(".py")), hook["id"]


def test_a_bug_report_asks_for_version_command_and_platform():
    fields = {part.get("id"): part for part in read_yaml(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    for name in ("command", "version", "platform"):
        assert fields[name]["validations"]["required"]


def test_every_target_of_make_is_documented():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    usage = "\n".join(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("# make "))
    texts = "\n".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))
    for target in set(phony.split()) - {"help", "opengl", "browser"}:  # these are steps of others
        assert f"make {target}" in usage
        assert f"make {target}" in texts


def test_every_package_that_make_installs_is_pinned():
    def name(requirement):
        return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace("_", "-")

    pinned = {name(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    installed = re.search(r"'\.\[([\w,]+)\]'", (ROOT / "scripts/setup.sh").read_text())[1].split(",")
    extras = [PROJECT["optional-dependencies"][extra] for extra in installed]
    assert {"train", "dev"} < set(installed)
    asked = [*PROJECT["dependencies"], *(package for packages in extras for package in packages)]
    assert {name(package) for package in asked} - pinned == set()
