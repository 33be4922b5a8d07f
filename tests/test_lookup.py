"""Tables of names, and what installed distributions add to them."""

import importlib.metadata
import sys

import pytest

import ambidex
from ambidex.envs.registry import TASKS, tasks_named
from ambidex.errors import AmbidexError, UnknownNameError
from ambidex.lookup import Registry, resolve
from ambidex.policies.checkpoint import policy_class
from ambidex.policies.registry import POLICIES, PRESETS

THING = "import numpy as np\n\nvalue = 7\npreset = 'the preset'\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution with a module and entry points, written as in pyproject.toml."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = set(sys.modules)

    def install(distribution, entry_points, **modules):
        folder = tmp_path / f"{distribution}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        lines = [line for group, entries in entry_points.items() for line in (f"[{group}]", *entries)]
        (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)

    yield install
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def table(**options):
    return Registry({"mine": "os:getcwd"}, "tests.things", **options)


def test_the_projects_own_are_found_without_reading_distributions(monkeypatch):
    monkeypatch.setattr(Registry, "_registered", None)
    assert table()["mine"] == "os:getcwd" and "mine" in table() and table().distribution("mine") == ""


def test_a_distribution_adds_names_at_once(install):
    things = table()
    with pytest.raises(UnknownNameError) as info:
        resolve("thing", "theirs", things)
    assert info.value.facts["expected"] == ["mine"]
    install("other", {"tests.things": ["theirs = things_of_other:value"]}, things_of_other=THING)
    assert resolve("thing", "theirs", things) == 7
    assert (list(things), len(things)) == (["mine", "theirs"], 2)
    assert things.distribution("theirs") == "other 1.2"
    assert resolve("thing", "theirs", table(attribute="preset")) == "the preset"


def test_distributions_are_read_again_only_after_an_installation(install, monkeypatch):
    reads, read = [], importlib.metadata.entry_points
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **group: reads.append(group) or read(**group))
    things = table()
    assert (list(things), len(things), len(reads)) == (["mine"], 1, 1)
    install("other", {"tests.things": ["theirs = sys:path"]})
    assert (list(things), len(things), len(reads)) == (["mine", "theirs"], 2, 2)


def test_a_distribution_does_not_replace_what_the_project_has(install):
    install("other", {"tests.things": ["mine = sys:path"]})
    assert table()["mine"] == "os:getcwd" and list(table()) == ["mine"]


@pytest.mark.parametrize(
    "address", ["no_such_module:value", "things_of_other:missing", "things_of_other", "things:1 2"]
)
def test_a_broken_entry_point_names_its_distribution(install, address):
    install("other", {"tests.things": [f"theirs = {address}"]}, things_of_other=THING, things="1 / 0")
    with pytest.raises(AmbidexError) as info:
        resolve("thing", "theirs", table())
    assert info.value.facts["distribution"] == "other 1.2"
    assert resolve("thing", "mine", table())


def test_two_distributions_with_one_name_are_both_named(install):
    install("first", {"tests.things": ["theirs = sys:path"]})
    install("second", {"tests.things": ["theirs = os:name"]})
    with pytest.raises(AmbidexError, match="both register") as info:
        resolve("thing", "theirs", table())
    assert info.value.facts["name"] == "theirs"


POLICY = """
from toy_policy import ToyPolicy

class Wave(ToyPolicy):
    name = "wave"

def preset(name, observations):
    return name
"""
TASK = """
from ambidex.envs.tasks.aloha.transfer_cube import TransferCube

class Give(TransferCube):
    name = "give"
    horizon = 7
"""


def test_policies_of_distributions_are_policies(install):
    entries = ["wave = waves:Wave", "surf = waves:Wave", "none = waves:preset"]
    install("waves", {"ambidex.policies": entries}, waves=POLICY)
    assert "wave" in POLICIES and policy_class("wave").name == "wave"
    assert resolve("policy", "wave", PRESETS)("tiny", None) == "tiny"
    for wrong in ("surf", "none"):
        with pytest.raises(AmbidexError) as info:
            policy_class(wrong)
        assert info.value.facts["distribution"] == "waves 1.2"


def test_tasks_of_distributions_are_tasks(install):
    install("gifts", {"ambidex.tasks": ["give = gifts:Give", "take = gifts:Give"]}, gifts=TASK)
    assert tasks_named("give") == ("give",) and "give" in TASKS
    env = ambidex.make("give", cameras=())
    assert (env.spec.task, env.spec.horizon) == ("give", 7)
    env.reset(0)
    with pytest.raises(AmbidexError) as info:
        ambidex.make("take", cameras=())
    assert info.value.facts["distribution"] == "gifts 1.2"
    with pytest.raises(UnknownNameError) as info:
        ambidex.make("gives", cameras=())
    assert "give" in info.value.facts["expected"]
