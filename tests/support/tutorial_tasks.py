"""The task, expert and robot of the tutorials, registered as the tutorials say."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from ambidex.envs import registry
from ambidex.envs.robots import ROBOTS
from ambidex.scripted_policies import registry as experts

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"


def load_as(name: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import a file of the tutorials under the name that it has when it is copied into the repository."""
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)


def register_tutorial_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, file in {
        "ambidex.envs.tasks.aloha.lift_cube": "lift_cube.py",
        "ambidex.envs.tasks.aloha.capsule_lift": "capsule_lift.py",
        "ambidex.envs.robots.capsule_arms": "capsule_arms.py",
        "ambidex.scripted_policies.aloha.lift_cube": "lift_cube_expert.py",
    }.items():
        load_as(name, TUTORIALS / file, monkeypatch)
    monkeypatch.setattr(sys.modules["ambidex.envs.robots.capsule_arms"], "MJCF", TUTORIALS / "capsule_arm.xml")
    for table, name, address in (
        (registry.TASKS, "lift_cube", "ambidex.envs.tasks.aloha.lift_cube:LiftCube"),
        (registry.TASKS, "capsule_lift", "ambidex.envs.tasks.aloha.capsule_lift:CapsuleLift"),
        (ROBOTS, "capsule_arms", "ambidex.envs.robots.capsule_arms:make_robot"),
        (experts.EXPERTS, "lift_cube", "ambidex.scripted_policies.aloha.lift_cube:LiftCubeExpert"),
        (experts.EXPERTS, "capsule_lift", "ambidex.scripted_policies.aloha.lift_cube:LiftCubeExpert"),
    ):
        monkeypatch.setitem(table, name, address)  # type: ignore[arg-type]
