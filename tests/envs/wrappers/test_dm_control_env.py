"""The dm_env environment: dm_env's conformance tests, the shared simulation, and the viewer without a window."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from unittest import mock

import dm_env
import numpy as np
import pytest
from dm_env import test_utils

from ambidex import make
from ambidex.envs.registry import TASKS
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.types import Float32Array
from ambidex.envs.wrappers.dm_control_env import DmControlEnvironment
from ambidex.scripted_policies.registry import make_expert

FRAMES = 12


class Conformance(test_utils.EnvironmentTestMixin):
    """The assertions of absltest that dm_env's checks use."""

    task = "insertion"

    def make_object_under_test(self) -> dm_env.Environment:
        camera = "agentview" if self.task.startswith("libero") else "top"
        return DmControlEnvironment(self.task, cameras=[camera], image_size=(24, 32))

    def assertIs(self, first: object, second: object, message: str) -> None:  # noqa: N802
        assert first is second, message

    def assertIsNot(self, first: object, second: object, message: str) -> None:  # noqa: N802
        assert first is not second, message

    def assertIsNone(self, value: object, message: str) -> None:  # noqa: N802
        assert value is None, message

    def assertIsInstance(self, value: object, kind: type) -> None:  # noqa: N802
        assert isinstance(value, kind)

    def fail(self, message: str) -> None:
        raise AssertionError(message)


SAMPLE = ("insertion", "libero_goal/7")
OTHERS = [pytest.param(task, marks=pytest.mark.slow) for task in TASKS if task not in SAMPLE]


class TestConformance(Conformance):
    @pytest.fixture(autouse=True, params=[*SAMPLE, *OTHERS])
    def environment_for_each_task(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.task = request.param
        self.object_under_test = self.make_object_under_test()
        yield
        self.environment.close()


def hold(env: DmControlEnvironment) -> Float32Array:
    return np.asarray(env.reset().observation["agent_pos"], np.float32)


def test_physics_shares_the_environments_simulation() -> None:
    env, core = DmControlEnvironment("insertion", first_seed=3), make("insertion")
    observation = core.reset(3)
    action = hold(env)
    np.testing.assert_array_equal(env.physics.data.qpos, core.scene.data.qpos)
    for _ in range(20):
        env.step(action)
        observation = core.step(action).observation
    np.testing.assert_array_equal(env.physics.data.qpos, core.scene.data.qpos)
    np.testing.assert_array_equal(env.physics.named.data.xpos["peg"], observation.objects[:3])
    assert env.physics.data.time == pytest.approx(20 * env.control_timestep())


def test_each_reset_starts_the_next_seed() -> None:
    env, core = DmControlEnvironment("insertion", first_seed=5), make("insertion")
    for seed in (5, 6):
        np.testing.assert_array_equal(
            env.reset().observation["environment_state"], core.reset(seed).objects.astype(np.float32)
        )
        assert env.seed == seed


def test_the_horizon_is_a_truncation_and_success_a_termination() -> None:
    env = DmControlEnvironment("transfer_cube")
    action = hold(env)
    for _ in range(400):
        step = env.step(action)
    assert step.last()
    assert step.discount == 1.0
    assert env.step(action).first()

    core = make("transfer_cube")
    env = DmControlEnvironment("transfer_cube")
    env.reset()
    ends = [step for step in map(env.step, rollout(core, make_expert(core), 0).actions) if step.last()]
    assert (ends[0].reward, ends[0].discount) == (4.0, 0.0)


def test_action_spec_has_the_limits_and_names_of_the_controller() -> None:
    env, core = DmControlEnvironment("insertion", control="ee"), make("insertion", control="ee")
    spec = env.action_spec()
    assert spec.name.split("\t") == list(core.spec.action_names)
    np.testing.assert_array_equal(spec.minimum, core.controller.low)
    np.testing.assert_array_equal(spec.maximum, core.controller.high)


def test_the_viewer_runs_and_displays_the_environment() -> None:
    # In a process of its own: dm_control chooses its OpenGL backend when it is first imported.
    run = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "MUJOCO_GL": choose_backend()},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "viewer: ok" in run.stdout


class Window:
    """Replaces the viewer's window: a fixed number of frames, without mouse and keyboard."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.shape = (width, height)
        self.mouse, self.keyboard = mock.MagicMock(position=np.zeros(2)), mock.MagicMock()
        self.frames: list[np.ndarray] = []

    def event_loop(self, tick_func: Callable[[], np.ndarray]) -> None:
        self.frames = [tick_func().copy() for _ in range(FRAMES)]

    def close(self) -> None:
        pass


def drive_viewer() -> None:
    from dm_control.viewer import application  # not above: it binds PyOpenGL to a screen, for the whole process

    env = DmControlEnvironment("insertion")
    action = hold(env)
    application.gui.RenderWindow = Window
    app = application.Application(width=96, height=64)
    app._pause_subject.value = False
    app._frame_timer.tick = lambda: env.control_timestep()  # as if the screen refreshed at the control rate
    app.launch(env, policy=lambda step: action)
    frames = app._window.frames
    assert all(frame.shape == (64, 96, 3) for frame in frames)
    assert frames[-1].std() > 5, "the image is blank"
    assert env.seed == 1, "the viewer resets once"
    assert env.physics.data.time == pytest.approx(FRAMES * env.control_timestep(), abs=2 * env.control_timestep())
    app._renderer.release()
    app._render_surface.free()
    env.close()
    print("viewer: ok")  # noqa: T201


if __name__ == "__main__":
    drive_viewer()
