"""What each axis does, by how much."""

import math
from itertools import pairwise

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.appearance.camera import SceneCameras, scene_cameras, table_height
from ambidex.envs.perturbations.appearance.object_colour import named_with_colour
from ambidex.envs.perturbations.inputs import sensor
from ambidex.envs.perturbations.inputs.lag import FROZEN, LATE
from ambidex.envs.perturbations.physics.action_noise import ActionNoise
from ambidex.envs.perturbations.physics.robot_start import RobotStart
from ambidex.envs.simulation.pose import quaternion_of


def perturbed(*axes: str, task: str = "insertion", cameras: tuple[str, ...] = ()) -> Environment:
    return make(task, cameras=cameras, image_size=(48, 64), perturb=axes)


@pytest.mark.parametrize("task", ["insertion", "libero_goal/1"])
def test_cameras_move_around_the_point_that_they_look_at(task: str) -> None:
    with perturbed("camera:5", task=task) as env:
        before = scene_cameras(env.scene)
        for seed in range(5):
            env.reset(seed)
            model, data = env.scene.model, env.scene.data
            for camera, (_, pose, target) in before.items():
                position, axes = data.cam_xpos[camera], quaternion_of(data.cam_xmat[camera])
                distance, first = np.linalg.norm(position - target), np.linalg.norm(pose.position - target)
                if pose.position[2] > target[2]:
                    assert distance == pytest.approx(first * env.perturbed["camera"]["distance_factor"])
                    assert (position - target)[2] / distance >= min((pose.position - target)[2] / first, 0.17) - 1e-9
                assert position[2] > min(pose.position[2] - 1e-9, table_height(env.scene))
                if model.cam_mode[camera] == 0:  # others turn towards a body
                    looks = (target - position) / distance
                    assert np.allclose(-np.reshape(data.cam_xmat[camera], (3, 3))[:, 2], looks, atol=1e-6), axes


@pytest.mark.parametrize("level", range(1, 6))
def test_cameras_do_not_see_what_they_are_mounted_on(level: int) -> None:
    with make("transfer_cube", cameras=("top",), image_size=(120, 160), perturb=[f"camera:{level}"]) as env:
        for seed in range(10):
            red, green, _ = np.moveaxis(env.reset(seed).image("top").astype(int), -1, 0)
            assert (red - green > 60).any()  # the cube


def test_only_the_mount_of_the_top_camera_is_hidden() -> None:
    hidden = {}
    for task in ("transfer_cube", "libero_goal/1", "libero_object/0", "libero_10/0", "libero_10/5", "libero_90/0"):
        with perturbed("camera", task=task) as env, perturbed(task=task) as clean:
            env.reset(0)
            model = clean.scene.model
            changed = np.flatnonzero(env.scene.model.geom_group != model.geom_group)
            hidden[task] = [tuple(np.round(model.geom_pos[geom], 2)) for geom in changed]
    assert hidden.pop("transfer_cube") == [(0.0, 0.79, 0.85), (0.0, 0.6, 0.82)]  # the boom and the webcam on it
    assert not any(hidden.values())


def test_the_distances_of_cameras_and_their_angles_are_within_their_level() -> None:
    for level, (azimuth, elevation, distance) in enumerate(SceneCameras.strengths, 1):
        with perturbed(f"camera:{level}") as env:
            for seed in range(10):
                env.perturb(seed)
                drawn = env.perturbed["camera"]
                assert abs(drawn["azimuth_deg"]) <= azimuth
                assert abs(drawn["elevation_deg"]) <= elevation
                assert 1.0 <= drawn["distance_factor"] <= 1.0 + distance


@pytest.mark.parametrize("task", ["insertion", "libero_goal/1"])
def test_arms_start_at_the_distance_of_the_level_in_the_same_direction(task: str) -> None:
    with perturbed(task=task) as env:
        home, objects = env.reset(3).qpos, env.observe().objects
    directions = []
    for level, (distance,) in enumerate(RobotStart.strengths, 1):
        with perturbed(f"robot_start:{level}", task=task) as env:
            start = env.reset(3)
            names = env.spec.joint_names
            for arm in env.scene.robot.arms:
                of_arm = [i for i, name in enumerate(names) if name.startswith(arm.name) and "gripper" not in name]
                assert np.linalg.norm((start.qpos - home)[of_arm]) == pytest.approx(distance)
            directions.append((start.qpos - home) / distance)
            assert np.array_equal(start.objects, objects)
            offsets = [
                env.perturbed["robot_start"][f"{name}_rad"] for arm in env.scene.robot.arms for name in arm.joints
            ]
            assert np.allclose(offsets, (start.qpos - home)[["gripper" not in name for name in names]])
    assert all(np.allclose(a, b) for a, b in pairwise(directions))


@pytest.mark.parametrize(("task", "steps"), [("insertion", 5), ("libero_goal/1", 3)])
def test_actions_are_executed_late(task: str, steps: int) -> None:
    with perturbed("action_delay:4", task=task) as env, perturbed(task=task) as clean:
        env.reset(1), clean.reset(1)
        rng = np.random.default_rng(0)
        actions = [rng.uniform(-0.3, 0.3, len(env.action_low)).astype(np.float32) for _ in range(12)]
        idle = clean.controller.idle(clean.scene, hold_gripper=True)
        late = [env.step(action).joint_action for action in actions]
        executed = [clean.step(action).joint_action for action in ([idle] * steps + actions)[: len(actions)]]
        assert env.perturbed["action_delay"]["steps"] == steps
    assert np.array_equal(late, executed)


def test_noise_has_the_deviation_of_the_level_and_spares_grippers() -> None:
    with perturbed("action_noise:3") as env:
        env.reset(1)
        action = env.controller.idle(env.scene)
        axis = env._perturbations._axes["action_noise"]
        noise = np.array([axis.change_action(action, step) for step in range(400)]) - action
        grippers = np.array(["gripper" in name for name in env.spec.action_names])
        assert (noise[:, grippers] == 0).all()
        assert noise[:, ~grippers].std() == pytest.approx(ActionNoise.strengths[2][0], rel=0.03)
        assert abs(np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]) < 0.2


def test_images_are_late_or_freeze() -> None:
    kinds = {}
    with perturbed("lag:5", cameras=("top",)) as env:
        for seed in range(8):
            env.perturb(seed)
            kinds.setdefault(env.perturbed["lag"]["kind"], seed)
        axis = env._perturbations._axes["lag"]
        env.perturb(kinds[LATE])
        assert [axis.step_shown(step) for step in (0, 4, 8, 20)] == [0, 0, 0, 12]
        env.perturb(kinds[FROZEN])
        shown = [axis.step_shown(step) for step in range(1000)]
    assert shown[0] == 0
    assert all(b in (a, step) for step, (a, b) in enumerate(pairwise(shown), 1))
    assert np.mean([b == a for a, b in pairwise(shown)]) == pytest.approx(0.4, abs=0.05)


def test_masses_and_gains_change_in_both_models_of_the_physics() -> None:
    with perturbed("dynamics:5", task="libero_goal/1") as env, perturbed(task="libero_goal/1") as clean:
        env.reset(4)
        drawn = env.perturbed["dynamics"]
        assert len(env.scene.models) == 2
        bowl = env.scene.model.body("akita_black_bowl_1_main").id
        for model, plain in zip(env.scene.models, clean.scene.models, strict=True):
            assert model.body_mass[bowl] == pytest.approx(plain.body_mass[bowl] * drawn["mass_factor"])
            assert model.body_subtreemass[bowl] == pytest.approx(plain.body_subtreemass[bowl] * drawn["mass_factor"])
            assert np.allclose(model.geom_friction, plain.geom_friction * drawn["friction_factor"])
            assert model.actuator_gainprm[0, 0] == pytest.approx(plain.actuator_gainprm[0, 0] * drawn["gain_factor"])
            assert model.dof_damping[0] == pytest.approx(plain.dof_damping[0] * drawn["damping_factor"])


@pytest.mark.parametrize("kind", sensor.DISTURBANCES)
def test_disturbances_grow_with_the_level_and_depend_on_their_generator_only(kind: str) -> None:
    rows, columns = np.mgrid[:96, :128]
    image = np.stack([(rows // 12 + columns // 16) % 2 * 180 + 30] * 3, axis=-1).astype(np.uint8)
    disturb = sensor.DISTURBANCES[kind]
    errors = []
    for severity in range(5):
        made = [disturb(image, severity, np.random.default_rng(seed), 96 / 256) for seed in range(6)]
        assert all(each.shape == image.shape and each.dtype == np.uint8 for each in made)
        assert np.array_equal(made[0], disturb(image, severity, np.random.default_rng(0), 96 / 256))
        errors.append(float(np.mean([np.abs(each.astype(float) - image).mean() for each in made])))
    assert errors[0] > 0.5
    assert errors[-1] > 1.3 * errors[0]
    # The published severities of glass trade rounds for distance.
    assert all(b > (0.7 if kind == "glass" else 0.95) * a for a, b in pairwise(errors))


def test_objects_named_with_a_colour_keep_it() -> None:
    assert named_with_colour("put the black bowl on the plate") == {"bowl", "on"}
    assert named_with_colour("pick up the red cube with the right arm") == {"cube", "with"}
    with perturbed("object_colour", task="libero_spatial/0") as env:
        env.reset(0)
        assert not [name for name in env.perturbed["object_colour"] if "bowl" in name]
        assert [name for name in env.perturbed["object_colour"] if "plate" in name]


def test_the_field_of_view_changes_by_the_angle_of_the_level() -> None:
    with perturbed("fov:4") as env, perturbed() as clean:
        for seed in range(4):
            env.reset(seed)
            change = env.scene.model.cam_fovy - clean.scene.model.cam_fovy
            assert np.allclose(np.abs(change), 7.0)
            assert math.copysign(7.0, change[0]) == env.perturbed["fov"]["fovy_deg"]
