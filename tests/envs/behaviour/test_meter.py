"""The meter in handmade states of the ALOHA cell, and in episodes of both families."""

import mujoco
import numpy as np
import pytest
from placing import Placer

from ambidex.envs.behaviour.meter import BehaviourMeter
from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Behaviour, Float32Array, Observation
from ambidex.scripted_policies.registry import make_expert

CUBE_WIDTH = 0.04
SHOULDER, LEFT_GRIPPER, RIGHT_WAIST = 1, 6, 7


class Moves:
    """Holds the initial posture, and from a step on with other values in some dimensions."""

    def __init__(self, *changes: tuple[int, int, float]) -> None:
        self._changes = changes  # step, dimension, value

    def reset(self, observation: Observation, seed: int) -> None:
        self._action, self._step = observation.qpos.astype(np.float32), 0

    def act(self, observation: Observation) -> Float32Array:
        for step, dimension, value in self._changes:
            if step == self._step:
                self._action[dimension] = value
        self._step += 1
        return self._action.copy()


def behaviour_after(env: Environment, *changes: tuple[int, int, float]) -> Behaviour:
    """What the robot does from the current state on."""
    env.scene.refresh()
    result = rollout(env, Moves(*changes), 0, initial_state=env.scene.state(), meter=BehaviourMeter(env))
    assert result.behaviour is not None
    return result.behaviour


@pytest.fixture
def placer() -> Placer:
    return Placer(make("transfer_cube", cameras=(), horizon=40))


def test_an_object_that_the_gripper_lets_go_in_the_air_is_dropped(placer: Placer) -> None:
    placer.in_gripper("left", "cube", CUBE_WIDTH)
    placer.scene.hold_robot()
    found = behaviour_after(placer.env, (0, LEFT_GRIPPER, 0.0), (15, LEFT_GRIPPER, 1.0))
    assert found.drops == 1


def test_a_held_object_is_not_dropped_and_its_grip_is_no_force(placer: Placer) -> None:
    placer.in_gripper("left", "cube", CUBE_WIDTH)
    placer.scene.hold_robot()
    found = behaviour_after(placer.env, (0, LEFT_GRIPPER, 0.0))
    assert placer.scene.grasped("cube", "left")
    assert (found.drops, found.largest_force_n) == (0, 0.0)


def test_an_object_that_falls_without_having_been_held_is_not_dropped(placer: Placer) -> None:
    placer.in_gripper("left", "cube", CUBE_WIDTH, only="left")
    placer.scene.hold_robot()
    assert behaviour_after(placer.env, (0, LEFT_GRIPPER, 1.0)).drops == 0


def test_an_arm_that_presses_on_the_table_exerts_a_force_on_it(placer: Placer) -> None:
    forces = []
    meter = BehaviourMeter(placer.env)
    measure, scene = placer.scene.on_step, placer.scene

    def both() -> None:
        measure()
        table = scene.model.geom("table").id
        total: dict[int, np.ndarray] = {}
        for index, contact in enumerate(scene.data.contact):
            if table in contact.geom and "cube" not in (name := body_name(scene, max(contact.geom))):
                mujoco.mj_contactForce(scene.model, scene.data, index, force := np.zeros(6))
                total[name] = total.get(name, 0.0) + contact.frame.reshape(3, 3).T @ force[:3]
        forces.extend(np.linalg.norm(each) for each in total.values())

    scene.on_step = both
    result = rollout(placer.env, Moves((0, SHOULDER, 0.4)), 0, meter=meter)
    assert result.behaviour is not None
    assert result.behaviour.largest_force_n == pytest.approx(max(forces), abs=0.001) and max(forces) > 5.0


def body_name(scene: Scene, geom: int) -> str:
    return scene.model.body(int(scene.model.geom_bodyid[geom])).name


def test_arms_that_touch_are_counted(placer: Placer) -> None:
    tool = placer.tool("left")
    turned = Pose(tool.position, quaternion_about((0, 0, 1), np.pi)) @ Pose.at((-0.01, 0.0, 0.0))
    placer.reach("right", turned)
    placer.scene.hold_robot()
    assert behaviour_after(placer.env).arm_contact_steps


def test_an_arm_is_idle_in_the_steps_after_which_none_of_its_joints_moves(placer: Placer) -> None:
    result = rollout(placer.env, Moves((0, RIGHT_WAIST, 0.3)), 0, meter=BehaviourMeter(placer.env))
    found = result.behaviour
    assert found is not None
    slow = np.abs(result.qvel[1:]) < 0.01
    assert found.idle["left"] == pytest.approx(slow[:, :7].all(axis=1).mean(), abs=1e-6)
    assert found.idle["right"] == pytest.approx(slow[:, 7:].all(axis=1).mean(), abs=1e-6)
    assert found.idle["right"] < found.idle["left"] < 1.0


def test_a_still_robot_moves_and_touches_nothing(placer: Placer) -> None:
    found = behaviour_after(placer.env)
    assert max(found.path_m.values()) < 0.02
    assert (found.largest_force_n, found.drops, found.arm_contact_steps) == (0.0, 0, 0)


@pytest.mark.parametrize("task", ["transfer_cube", "libero_goal/1"])
def test_steps_paths_and_drops_of_the_expert(task: str) -> None:
    env = make(task, cameras=())
    meter = BehaviourMeter(env)
    result = rollout(env, make_expert(env), 0, stop_at_success=True, meter=meter)
    found = result.behaviour
    assert found is not None and found.drops == 0
    assert sum(found.stage_steps.values()) == result.steps
    assert found.stage_steps["none"] == int((result.stages[:-1] == 0).sum())
    assert all(0.1 < path < 3.0 for path in found.path_m.values())
    assert 0.0 < found.largest_force_n < 200.0
    assert (found.arm_contact_steps is None) == (task != "transfer_cube")
    played = rollout(
        env, Playback(result.actions), 0, initial_state=result.states[0], stop_at_success=True, meter=meter
    )
    assert played.behaviour == found


class Playback:
    def __init__(self, actions: Float32Array) -> None:
        self._actions = iter(actions)

    def reset(self, observation: Observation, seed: int) -> None:
        pass

    def act(self, observation: Observation) -> Float32Array:
        return next(self._actions)


def test_the_path_is_that_of_the_tool_centre_point(placer: Placer) -> None:
    start = placer.tool("right").position
    found = behaviour_after(placer.env, (0, RIGHT_WAIST, 0.3))
    moved = float(np.linalg.norm(placer.tool("right").position - start))
    assert moved > 0.05
    assert moved <= found.path_m["right"] < 1.2 * moved
