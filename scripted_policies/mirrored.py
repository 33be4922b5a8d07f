"""The expert of a mirrored task: the expert of the other task, acting in the mirror image of the scene."""

from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment, make
from ambidex.envs.tasks.mirrored import MirroredTask, Reflection, mirrored_action
from ambidex.envs.types import Agent, Float32Array, Observation
from ambidex.scripted_policies.registry import make_expert


class MirroredExpert:
    """Reflects the scene, lets the other task's expert act in it, and reflects what it does.

    Args:
        env: The environment that it acts in.
        noise: See `registry.make_expert`.
    """

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        assert isinstance(env.task, MirroredTask)
        spec = env.spec
        self._env = make(env.task.base.name, control="joint", cameras=(), spread=spec.spread, dynamics=spec.dynamics)
        self._reflection = Reflection(env.scene, self._env.scene)
        self._expert: Agent = make_expert(self._env, noise=noise)
        self._poses = EePose(env.scene, spec.control_hz) if spec.control == "ee" else None
        self._scene = env.scene

    def reset(self, observation: Observation, seed: int) -> None:
        self._reflection.updated()
        self._expert.reset(self._env.observe(), seed)

    def act(self, observation: Observation) -> Float32Array:
        self._reflection.updated()
        action = mirrored_action(self._scene, self._expert.act(self._env.observe())).astype("float32")
        return action if self._poses is None else self._poses.from_joint_action(action)
