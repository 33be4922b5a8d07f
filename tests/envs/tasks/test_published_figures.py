"""Objects, initial poses and cameras against the published numbers of the ACT simulation."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make

RANGES = {
    "transfer_cube": {"cube": ((0.0, 0.2), (0.4, 0.6))},
    "insertion": {"peg": ((0.1, 0.2), (0.4, 0.6)), "socket": ((-0.2, -0.1), (0.4, 0.6))},
}
WALLS = {
    "socket-1": ((0, 0, -0.02), (0.06, 0.018, 0.002)),
    "socket-2": ((0, 0, 0.02), (0.06, 0.018, 0.002)),
    "socket-3": ((0, 0.02, 0), (0.06, 0.002, 0.018)),
    "socket-4": ((0, -0.02, 0), (0.06, 0.002, 0.018)),
    "pin": ((0, 0, 0), (0.04, 0.01, 0.01)),
}
CAMERAS = {"top": ((0, 0.6, 0.8), 78), "angle": ((0, 0, 0.6), 78), "front_close": ((0, 0.2, 0.4), 78)}
AIM = {"top": "table", "angle": "table", "front_close": "vx300s_left/camera_focus"}


@pytest.fixture(scope="module", params=RANGES)
def env(request: pytest.FixtureRequest) -> Environment:
    return make(request.param, cameras=())


def test_initial_poses_cover_the_published_ranges(env: Environment) -> None:
    poses = np.stack([env.reset(seed).objects.reshape(-1, 7) for seed in range(400)])
    for index, body in enumerate(env.spec.object_names):
        (x_low, x_high), (y_low, y_high) = RANGES[env.spec.task][body]
        for column, low, high in ((0, x_low, x_high), (1, y_low, y_high)):
            values = poses[:, index, column]
            assert low <= values.min() < low + 0.05 * (high - low)
            assert high - 0.05 * (high - low) < values.max() <= high
        assert (poses[:, index, 2] == 0.05).all()
        assert (poses[:, index, 3:] == (1, 0, 0, 0)).all()


def test_objects_have_the_published_mass_and_size(env: Environment) -> None:
    model = env.scene.model
    for body in env.spec.object_names:
        assert float(model.body(body).mass[0]) == pytest.approx(0.05)
        assert model.body(body).inertia == pytest.approx([0.002] * 3)
    solids = {"red_box": (0.02,) * 3} if env.spec.task == "transfer_cube" else {"red_peg": (0.06, 0.01, 0.01)}
    for name, size in solids.items():
        assert model.geom(name).size == pytest.approx(size)
    if env.spec.task == "insertion":
        for name, (position, size) in WALLS.items():
            assert model.geom(name).pos == pytest.approx(position)
            assert model.geom(name).size == pytest.approx(size)


def test_table_and_cameras_are_at_the_published_places(env: Environment) -> None:
    model, data = env.scene.model, env.scene.data
    env.reset(0)
    table = model.geom("table")
    assert table.size == pytest.approx((0.6096, 0.381, 0.015))
    assert data.geom("table").xpos == pytest.approx((0.0, 0.6, -0.015))
    for name, (position, fovy) in CAMERAS.items():
        assert data.camera(name).xpos == pytest.approx(position)
        assert float(model.camera(name).fovy[0]) == fovy
        aim = env.scene.body_pose(AIM[name]).position - data.camera(name).xpos
        looking = -data.camera(name).xmat.reshape(3, 3)[:, 2]
        assert looking == pytest.approx(aim / np.linalg.norm(aim), abs=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
def test_wrist_cameras_look_at_their_focus(env: Environment, side: str) -> None:
    env.reset(0)
    camera = env.scene.data.camera(f"{side}_wrist")
    link = env.scene.body_pose(f"vx300s_{side}/gripper_link")
    inverse, local = link.inverse(), np.empty(3)
    mujoco.mju_rotVecQuat(local, camera.xpos, inverse.quaternion)
    assert local + inverse.position == pytest.approx((-0.1, 0.0, 0.16), abs=1e-9)
    aim = env.scene.body_pose(f"vx300s_{side}/camera_focus").position - camera.xpos
    assert -camera.xmat.reshape(3, 3)[:, 2] == pytest.approx(aim / np.linalg.norm(aim), abs=1e-6)
    assert float(env.scene.model.camera(f"{side}_wrist").fovy[0]) == 20


def test_time_steps_are_the_published_ones(env: Environment) -> None:
    assert env.scene.model.opt.timestep == 0.002
    assert env.spec.control_hz == 50.0
    assert env.spec.horizon == 400
    env.step(env.reset(0).qpos.astype(np.float32))
    assert env.scene.data.time == pytest.approx(0.02)
