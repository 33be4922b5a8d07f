"""A task may switch equality constraints, e.g. to let a part come off; states continue bit for bit."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.robot import Robot
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.aloha.transfer_cube import TransferCube

RELEASE_HEIGHT = 0.2  # [m]


class HangingCube(TransferCube):
    """The cube hangs on a stick that is held by the world, until it is lower than `RELEASE_HEIGHT`."""

    def compose(self, robot: Robot) -> mujoco.MjSpec:
        spec = super().compose(robot)
        spring = PropBuilder("hook", free=False)
        spring.part("slider", (0, 0, 0), joint=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, 0, 1), span=(-1, 1), damping=2.0)
        spring.box((0, 0, 0), (0.002, 0.002, 0.002), (1, 1, 1))
        spring.box((0, 0, 0), (0.01, 0.01, 0.01), (1, 1, 1), body="slider")
        spec.attach(spring.spec, frame=spec.worldbody.add_frame(pos=(0, 0.7, 0.5)), prefix="hook/")
        weld = spec.add_equality(name="grip", type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY)
        weld.name1, weld.name2 = "hook/slider", "cube"
        weld.data[:11] = (*(0, 0, 0), *(0, 0, -0.05), *(1, 0, 0, 0), 1)  # anchor, pose of the cube, scale of the torque
        return spec

    def update_constraints(self, scene: Scene) -> bool:
        eq = scene.model.equality("grip").id
        if not scene.data.eq_active[eq] or scene.body_pose("cube").position[2] > RELEASE_HEIGHT:
            return False
        scene.data.eq_active[eq] = 0
        return True


@pytest.fixture
def scene() -> Scene:
    task = HangingCube()
    scene = Scene(task.make_robot(), task)
    scene.reset({"cube": Pose.at((0.0, 0.7, 0.45))})
    return scene


def is_attached(scene: Scene) -> bool:
    return bool(scene.data.eq_active[scene.model.equality("grip").id])


def test_a_part_comes_off_where_the_task_says_so(scene: Scene) -> None:
    attached, heights = [], []
    for _ in range(150):
        scene.advance(10)
        attached.append(is_attached(scene))
        heights.append(scene.body_pose("cube").position[2])
    assert attached[0]
    assert not attached[-1]
    first = attached.index(False)
    assert heights[first] <= RELEASE_HEIGHT < heights[first - 1]
    assert heights[-1] == pytest.approx(0.02, abs=0.002)  # it lies on the table
    scene.reset({})
    assert is_attached(scene)


def test_a_stored_state_continues_bit_for_bit_across_the_change(scene: Scene) -> None:
    states = []
    for _ in range(120):
        states.append(scene.state())
        scene.advance(10)
    changed = [i for i in range(1, 120) if not np.array_equal(states[i][-200:], states[i - 1][-200:])]
    assert changed
    for start in (5, 40, 80):
        scene.set_state(states[start])
        for later in states[start + 1 : start + 30]:
            scene.advance(10)
            assert np.array_equal(scene.state(), later)
