"""What each axis does, by how much."""

import math
from itertools import pairwise

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.appearance.camera import SceneCameras, scene_cameras, table_height
from ambidex.envs.perturbations.appearance.object_colour import named_with_colour
from ambidex.envs.perturbations.inputs import sensor
from ambidex.envs.perturbations.inputs.lag import FROZEN, LATE
from ambidex.envs.perturbations.physics import layout
from ambidex.envs.perturbations.physics.action_noise import ActionNoise
from ambidex.envs.perturbations.physics.distractors import SHAPES, Distractors
from ambidex.envs.perturbations.physics.footprint import colliding_geoms
from ambidex.envs.perturbations.physics.layout import Layout
from ambidex.envs.perturbations.physics.robot_start import RobotStart
from ambidex.envs.simulation.pose import Pose, angle_between, quaternion_of, rotation_matrix
from ambidex.errors import EpisodeStartError


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
    for severity in (2, 4, 6, 8, 10):
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


def offsets(env: Environment, body: str) -> np.ndarray:
    """Of a body from the centre of the range that it is placed in, in half lengths of the range."""
    (given,) = env.task.initial_ranges("published")[body]
    centre, half = np.add(given.low, given.high)[:2] / 2, np.subtract(given.high, given.low)[:2] / 2
    return (env.scene.body_pose(body).position[:2] - centre) / half


@pytest.mark.parametrize("task", ["insertion", "libero_goal/1"])
def test_objects_are_on_the_edge_of_a_larger_range_in_the_same_direction_at_all_levels(task: str) -> None:
    found: dict[str, list[np.ndarray]] = {}
    for level, (factor, turned) in enumerate(Layout.strengths, 1):
        with perturbed(f"layout:{level}", task=task) as env, perturbed(task=task) as clean:
            env.reset(3), clean.reset(3)
            drawn = env.perturbed["layout"]
            for body in env.task.initial_ranges("published"):
                offset, before = offsets(env, body), offsets(clean, body)
                assert np.abs(offset).max() == pytest.approx(factor) == pytest.approx(drawn[f"{body}_factor"])
                found.setdefault(body, []).append(offset / factor)
                pose, start = env.scene.body_pose(body), clean.scene.body_pose(body)
                assert pose.position[2] == start.position[2]
                turn = angle_between(pose, start)
                assert turn == pytest.approx(abs(math.radians(drawn[f"{body}_yaw_deg"])), abs=1e-6)
                assert (turn > 0) == bool(turned)
                assert np.abs(before).max() <= 1.01
            env.scene.advance(1)
            assert np.abs(env.scene.data.qvel).max() < 0.05  # at rest, or in insertion 2 ms into the fall
    assert all(np.allclose(a, b) for each in found.values() for a, b in pairwise(each))


def test_a_moved_object_goes_through_its_usual_place() -> None:
    with perturbed("layout:2", task="transfer_cube") as env, perturbed(task="transfer_cube") as clean:
        for seed in range(10):
            env.reset(seed), clean.reset(seed)
            offset, before = offsets(env, "cube"), offsets(clean, "cube")
            assert np.allclose(offset / np.abs(offset).max(), before / np.abs(before).max())


def test_objects_are_moved_apart_from_others_and_stay_on_what_carries_them() -> None:
    with perturbed("layout:5", task="libero_spatial/3") as env, perturbed(task="libero_spatial/3") as clean:
        moved = set(env.task.initial_ranges("published"))
        assert "cookies_1_main" not in moved  # the bowl is on it
        for seed in range(3):
            env.reset(seed), clean.reset(seed)
            for body in env.spec.object_names:
                stays = np.array_equal(env.scene.body_pose(body).position, clean.scene.body_pose(body).position)
                factor = env.perturbed["layout"].get(f"{body}_factor", 0.0)
                assert stays == (factor <= 1.01), body
                others = [other for other in env.spec.object_names if other != body]
                assert factor <= 1.01 or not any(env.scene.bodies_touch(body, other) for other in others)


def test_an_object_without_a_free_place_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Layout, "_is_free", lambda self, scene, name, *_: name == "peg")
    with perturbed("layout:1") as env, perturbed() as clean:
        env.reset(3), clean.reset(3)
        drawn = env.perturbed["layout"]
        assert drawn["peg_factor"] == pytest.approx(1.2)
        assert drawn["socket_factor"] == pytest.approx(np.abs(offsets(clean, "socket")).max())
        assert np.array_equal(env.scene.body_pose("socket").position, clean.scene.body_pose("socket").position)
        monkeypatch.undo()
        monkeypatch.setattr(layout, "GAP", 1.0)
        with pytest.raises(EpisodeStartError, match="no object"):
            env.reset(3)


def shown(env: Environment) -> dict[str, tuple[float, ...]]:
    """Visible distractors -> position and colour."""
    model = env.scene.model
    geoms = [model.geom(f"distractor_{index}") for index in range(len(SHAPES))]
    visible = [geom for geom in geoms if geom.rgba[3] > 0]
    return {geom.name: (*geom.pos, *geom.rgba) for geom in visible}


@pytest.mark.parametrize("task", ["transfer_cube", "libero_goal/1"])
def test_levels_have_the_distractors_of_lower_ones_and_more(task: str) -> None:
    found = []
    for level, (count,) in enumerate(Distractors.strengths, 1):
        with perturbed(f"distractors:{level}", task=task) as env:
            env.reset(5)
            found.append(shown(env))
            assert len(found[-1]) == count == env.perturbed["distractors"]["objects"]
            with env.unperturbed():
                assert not shown(env)
    assert all(a.items() <= b.items() for a, b in pairwise(found))


@pytest.mark.parametrize("task", ["insertion", "libero_goal/1", "libero_10/0"])
def test_distractors_keep_their_distance_on_the_table(task: str) -> None:
    with perturbed("distractors:5", task=task) as env:
        for seed in range(3):
            env.reset(seed)
            model, data = env.scene.model, env.scene.data
            own = [model.geom(name).id for name in shown(env)]
            others = list(colliding_geoms(model, env.spec.object_names))
            for geom in own:
                assert data.geom_xpos[geom][2] - model.geom_aabb[geom, 5] == pytest.approx(table_height(env.scene))
                assert np.allclose(rotation_matrix(model.geom_quat[geom]).ravel(), data.geom_xmat[geom])
                gaps = [mujoco.mj_geomDistance(model, data, geom, other, 1.0, None) for other in others]
                assert min(gaps) >= 0.06
                apart = [mujoco.mj_geomDistance(model, data, geom, other, 1.0, None) for other in own if other != geom]
                assert min(apart) >= 0.02


def test_distractors_have_no_colour_that_the_instruction_names() -> None:
    with perturbed("distractors:5", task="transfer_cube") as env:
        for seed in range(5):
            env.reset(seed)
            colours = {str(value).split()[0] for name, value in env.perturbed["distractors"].items() if "shape" in name}
            assert len(colours) == 5
            assert not colours & {"red", "pink", "orange"}


def test_a_distractor_stops_an_object_and_the_model_keeps_its_fingerprint_and_the_size_of_states() -> None:
    with perturbed("distractors:1", task="transfer_cube") as env, perturbed(task="transfer_cube") as clean:
        state = env.reset(5).state
        assert np.array_equal(state, clean.reset(5).state)
        assert env.scene.model_sha256 == clean.scene.model_sha256
        ((x, y, z, *_),) = shown(env).values()
        for each in (env, clean):
            each.scene.place("cube", Pose.at((x, y, z + 0.1)))
            each.scene.refresh()
            each.scene.advance(500)
        fallen, stopped = (each.scene.body_pose("cube").position[2] for each in (clean, env))
        assert stopped - fallen > 0.01
