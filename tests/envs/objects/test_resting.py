"""Objects stay upright where they are placed."""

import mujoco
import numpy as np
import pytest
from objects_on_a_table import deepest, objects_on_a_table, tilt

from ambidex.envs.objects.properties import categories, object_properties

FREE = [category for category in categories() if not object_properties(category).is_fixture]


@pytest.mark.parametrize("timestep", [0.002, 0.005])
@pytest.mark.parametrize("cone", [mujoco.mjtCone.mjCONE_ELLIPTIC, mujoco.mjtCone.mjCONE_PYRAMIDAL])
@pytest.mark.parametrize("category", FREE)
def test_it_rests_upright_and_still(category: str, cone: mujoco.mjtCone, timestep: float) -> None:
    model, data = objects_on_a_table(category, timestep=timestep, cone=cone)
    start = data.qpos.copy()
    mujoco.mj_step(model, data, round(0.8 / timestep))
    settled = data.qpos.copy()
    mujoco.mj_step(model, data, round(0.2 / timestep))
    assert np.linalg.norm(data.qpos[:3] - start[:3]) < 1e-3
    assert np.linalg.norm(data.qpos[:3] - settled[:3]) < 2e-5
    assert tilt(data, "object0_main") < 1.0
    assert np.abs(data.qvel[:3]).max() < 1e-3
    assert np.abs(data.qvel[3:]).max() < 0.02
    assert deepest(data) < 5e-4


@pytest.mark.parametrize("category", FREE)
def test_a_push_does_not_set_it_rolling(category: str) -> None:
    model, data = objects_on_a_table(category)
    data.qvel[:2] = 0.1, 0.02
    mujoco.mj_step(model, data, 500)
    assert 0.0 <= data.qpos[0] < 0.02
    assert np.abs(data.qvel).max() < 0.02
