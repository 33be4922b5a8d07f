"""What resets of perturbed episodes cost, in calls of what takes time: seconds would differ between machines."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import mujoco
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.episode import Perturbations
from ambidex.envs.perturbations.perturbation import Clean
from ambidex.envs.perturbations.physics import distractors, layout
from ambidex.envs.perturbations.registry import AXES
from ambidex.errors import PerturbationError

SEEDS = range(5)
COUNTED = (
    *("mj_forward", "mj_step", "mj_step1", "mj_kinematics", "mj_collision", "mj_setConst", "mj_ray", "mj_geomDistance"),
    *("mjr_render", "mjr_uploadTexture"),
)
USUAL: Mapping[str, float] = {"mj_step1": 2}  # when the clean model is restored, and when it is changed
LIMITS: Mapping[str, Mapping[str, float]] = {
    "background": {**USUAL, "mjr_uploadTexture": 6},
    # Five levels for each object, and some directions that are not free.
    "layout": {"mj_step1": 1, "mj_kinematics": 40, "mj_geomDistance": 700, "table_area": 1},
    # In two models of the physics; pairs are of positions that are tried and of rectangles.
    "distractors": {**USUAL, "mj_kinematics": 6, "mj_setConst": 2, "mj_ray": 20, "pairs": 50_000, "table_area": 1},
    # Two directions at five levels.
    "robot_start": {**USUAL, "mj_kinematics": 10, "mj_collision": 10},
    "dynamics": {**USUAL, "mj_setConst": 2},
}
"""Axis -> most calls in a reset, beyond those of the clean one."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each counted function was called; for `distances` the pairs that it was given."""
    counter: Counter[str] = Counter()

    def count(owner: ModuleType, name: str, counted: str, amount: Callable[..., int] = lambda *_: 1) -> None:
        function = getattr(owner, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            counter[counted] += amount(*arguments)
            return function(*arguments, **options)

        monkeypatch.setattr(owner, name, counting)

    for name in COUNTED:
        count(mujoco, name, name)
    count(distractors, "distances", "pairs", lambda points, rectangles: len(points) * len(rectangles))
    for module in (distractors, layout):
        count(module, "table_area", "table_area")
    return counter


@pytest.mark.parametrize("task", ["transfer_cube", "libero_goal/1"])
def test_resets_of_no_axis_are_expensive(task: str, calls: Counter[str]) -> None:
    with make(task, image_size=(48, 64), perturb=["distractors"]) as env:
        env.render(env.spec.cameras[0])
        clean = Clean(scene=env.scene, task=env.task, spec=env.spec, idle=lambda: env.action_low)
        usual = _calls_of_resets(env, Perturbations([], clean), calls)
        assert usual["mj_step1"] > 0
        excess = {}
        for axis in AXES:
            try:
                perturbations = Perturbations([f"{axis}:5"], clean)
            except PerturbationError:  # the task has nothing that the axis changes
                continue
            more, limits = _calls_of_resets(env, perturbations, calls) - usual, LIMITS.get(axis, USUAL)
            excess[axis] = {name: n / len(SEEDS) for name, n in more.items() if n > limits.get(name, 0) * len(SEEDS)}
    assert not any(excess.values()), excess


def _calls_of_resets(env: Environment, perturbations: Perturbations, calls: Counter[str]) -> Counter[str]:
    """The calls while episodes begin with these perturbations, after a first one."""
    env._perturbations.clear()
    env._perturbations = perturbations
    env.reset(0)
    calls.clear()
    for seed in SEEDS:
        env.reset(seed)
    return Counter(calls)
