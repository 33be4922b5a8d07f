"""The environment as a Gymnasium environment, also for LeRobot's evaluator. `import ambidex` registers every task."""

import re
from typing import TYPE_CHECKING, Any, Unpack

import gymnasium
import numpy as np
from gymnasium import spaces

from ambidex.envs.registry import HORIZONS, MIRRORED, SUITES, TASKS, VARIANT_HORIZONS
from ambidex.envs.simulation.opengl import check_environment
from ambidex.envs.tasks.libero.suites import HORIZONS as LIBERO_HORIZONS
from ambidex.envs.types import FIRST_BENCHMARK_SEED, Float32Array, FloatArray, ImageArray, MakeOptions, Observation
from ambidex.errors import UsageError, check_name

if TYPE_CHECKING:
    from ambidex.envs.env import Environment

OBSERVATION_TYPES = ("pixels_agent_pos", "pixels", "state", "flat")
BOUND = 1000.0  # of observations; more than a robot or a falling object reaches within an episode [rad, m]

GymObservation = dict[str, Any]  # spaces.Dict requires a plain dict; images are in a dict of their own
Info = dict[str, Any]


class GymEnvironment(gymnasium.Env[GymObservation, Float32Array]):
    """One task as a Gymnasium environment.

    The reward is the current stage (ACT's 0 to 4 in the ALOHA family). An episode terminates at success and is
    truncated at the task's horizon. There is no autoreset.

    Attributes:
        task: Registered task name.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 50}

    def __init__(
        self,
        task: str,
        *,
        obs_type: str = "pixels_agent_pos",
        render_mode: str | None = None,
        render_camera: str | None = None,
        **options: Unpack[MakeOptions],
    ) -> None:
        """Make the environment. Nothing is rendered before the first observation with images.

        Args:
            task: Task name, such as "insertion" or "libero_goal/1", or the path of a .bddl file.
            obs_type: "pixels_agent_pos": {"pixels": {camera: (H, W, 3) uint8}, "agent_pos": (J,)}; "pixels": the
                images only; "state": {"agent_pos": (J,), "environment_state": (7 * objects,)}; "flat": {camera:
                (H, W, 3) uint8, "agent_pos": (J,)}, for libraries that take no dictionary within a dictionary.
            render_mode: "rgb_array", or None for no `render`.
            render_camera: Camera of `render`; None for the first observed camera.
            options: The other arguments of `ambidex.make`; `image_size` is that of `render` too. With a `horizon` above
                the task's, give `gymnasium.make` the same `max_episode_steps`.

        Raises:
            UsageError: An unknown name, or pixels without a camera.
        """
        check_name("observation type", obs_type, OBSERVATION_TYPES)
        check_environment()
        from ambidex.envs.env import make  # so that registering the ids does not load the simulator

        self._env = make(task, **options)
        self._obs_type = obs_type
        self._render_camera = _checked_camera(self._env, render_camera)
        spec = self._env.spec
        if obs_type != "state" and not spec.cameras:
            raise UsageError(f"obs_type {obs_type!r} needs at least one camera.", "Use obs_type='state' for none.")
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(spec.control_hz)}
        self.task = spec.task
        self._max_episode_steps = spec.horizon
        self.observation_space = _observation_space(self._env, obs_type)
        self.action_space = spaces.Box(self._env.action_low, self._env.action_high, dtype=np.float32)

    @property
    def task_description(self) -> str:
        """The task in words, as LeRobot's evaluator reads it after each reset."""
        return self._env.instruction

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[GymObservation, Info]:
        """Start an episode.

        Args:
            seed: Start the episode (task, seed), the same as anywhere in ambidex. None draws a training seed, below
                100000, from the environment's own generator; it is `info["episode_seed"]`.
            options: {"state": array (S,)} continues from a stored state instead.
        """
        super().reset(seed=seed)
        episode_seed = int(self.np_random.integers(FIRST_BENCHMARK_SEED)) if seed is None else seed
        observation = self._env.reset(episode_seed)
        state: FloatArray | None = (options or {}).get("state")
        if state is not None:
            observation = self._env.restore(state)
        checks = self._env.task.checks(self._env.scene)
        return self._arrays(observation), {
            **_info(success=False, stage=self._env.stage(), checks=checks),
            "episode_seed": episode_seed,
        }

    def step(self, action: Float32Array) -> tuple[GymObservation, float, bool, bool, Info]:
        """Act for one control step; `action` has shape (A,)."""
        step = self._env.step(action)
        info = _info(success=step.success, stage=step.stage, checks=dict(step.checks))
        return self._arrays(step.observation), float(step.stage), step.success, step.truncated, info

    def render(self) -> ImageArray | None:
        """The image of the render camera, shape (H, W, 3) uint8 RGB, or None without a render mode."""
        if self.render_mode is None:
            return None
        return self._env.render(self._env.scene.state(), self._render_camera)

    def close(self) -> None:
        """Free the OpenGL context. Safe to call twice."""
        self._env.close()

    def _arrays(self, observation: Observation) -> GymObservation:
        if self._obs_type == "pixels":
            return {"pixels": observation.images()}
        agent_pos = observation.qpos.astype(np.float32)
        if self._obs_type == "state":
            return {"agent_pos": agent_pos, "environment_state": observation.objects.astype(np.float32)}
        if self._obs_type == "flat":
            return {**observation.images(), "agent_pos": agent_pos}
        return {"pixels": observation.images(), "agent_pos": agent_pos}


def environment_id(task: str) -> str:
    """The Gymnasium id of a task: "transfer_cube" is "ambidex/TransferCube-v0"."""
    words = re.split(r"[_/]", task)
    return f"ambidex/{''.join(word[:1].upper() + word[1:] for word in words)}-v0"


def register_all() -> None:
    """Register every task with Gymnasium, those of LIBERO's suites by number. May be called twice."""
    numbered = {f"{suite}/{i}": steps for suite, steps in LIBERO_HORIZONS.items() for i in range(len(SUITES[suite]))}
    horizons = {**HORIZONS, **VARIANT_HORIZONS}
    own = {task: horizons.get(task) for task in TASKS.own}
    mirrored = {task + MIRRORED: steps for task, steps in own.items()}
    for task, steps in {**own, **mirrored, **numbered}.items():
        name = environment_id(task)
        if name not in gymnasium.registry:
            entry_point = f"{__name__}:GymEnvironment"
            gymnasium.register(name, entry_point=entry_point, max_episode_steps=steps, kwargs={"task": task})


def _checked_camera(env: "Environment", asked: str | None) -> str:
    if asked is None:
        return (env.spec.cameras or env.scene.camera_names)[0]
    env.scene.check_camera(asked)
    return asked


def _observation_space(env: "Environment", obs_type: str) -> "spaces.Space[Any]":
    spec = env.spec
    image = spaces.Box(0, 255, (*spec.image_size, 3), np.uint8)
    pixels: dict[str, spaces.Space[Any]] = dict.fromkeys(spec.cameras, image)
    agent_pos = spaces.Box(-BOUND, BOUND, (len(spec.joint_names),), np.float32)
    if obs_type == "pixels":
        return spaces.Dict({"pixels": spaces.Dict(pixels)})
    if obs_type == "state":
        objects = spaces.Box(-BOUND, BOUND, (7 * len(spec.object_names),), np.float32)
        return spaces.Dict({"agent_pos": agent_pos, "environment_state": objects})
    if obs_type == "flat":
        return spaces.Dict({**pixels, "agent_pos": agent_pos})
    return spaces.Dict({"pixels": spaces.Dict(pixels), "agent_pos": agent_pos})


def _info(*, success: bool, stage: int, checks: dict[str, bool]) -> Info:
    return {"is_success": success, "stage": stage, "checks": checks}
