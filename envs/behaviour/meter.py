"""Measures the behaviour of an agent during a rollout."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ambidex.envs.behaviour.drops import DropCounter
from ambidex.envs.behaviour.touches import TouchReader
from ambidex.envs.env import Environment
from ambidex.envs.types import Behaviour, FloatArray, Step

IDLE_SPEED = 0.01
"""An arm is idle if its joints are slower than this [rad/s], and its gripper likewise [openings/s]. It is the speed below
which ros2_control's joint_trajectory_controller takes a joint as stopped (`stopped_velocity_tolerance`)."""


class BehaviourMeter:
    """Measures episodes of an environment, one after the other, for as long as the environment exists.

    Contact forces are those of the last physics step of each control step: MuJoCo has them only until the next step.

    Args:
        env: The environment. The meter reads it and changes nothing.
    """

    def __init__(self, env: Environment) -> None:
        self._env, self._scene = env, env.scene
        self._touches = TouchReader(env.scene)
        self._drops = DropCounter(env.spec.control_hz)
        self._arms = env.scene.robot.arms
        self._sites = [env.scene.model.site(arm.tcp_site).id for arm in self._arms]
        self._objects = list(self._touches.objects)
        ends = np.cumsum([len(arm.joints) + 1 for arm in self._arms])
        self._first_joints = [0, *ends[:-1].tolist()]
        env.scene.on_step = self._add_contacts
        self.reset()

    def reset(self) -> None:
        """Start a new episode in the current state."""
        self._drops.reset()
        self._tools = self._tool_positions()
        self._paths, self._idle = np.zeros(len(self._arms)), np.zeros(len(self._arms), int)
        self._force, self._arm_contacts, self._steps = 0.0, 0, 0

    def add(self, step: Step) -> None:
        """Measure a control step that the environment has just made."""
        before, self._tools = self._tools, self._tool_positions()
        self._paths += np.sqrt(((self._tools - before) ** 2).sum(axis=1))
        fastest = np.maximum.reduceat(np.abs(step.observation.qvel), self._first_joints)
        self._idle += fastest < IDLE_SPEED
        self._steps += 1

    def behaviour(self, stages: Sequence[int]) -> Behaviour | None:
        """The behaviour since the last `reset`; None without steps.

        Args:
            stages: Stage before each step and after the last.
        """
        if not self._steps:
            return None
        names, spent = [arm.name for arm in self._arms], Counter(stages[: self._steps])
        return Behaviour(
            stage_steps={name: spent[stage] for stage, name in enumerate(self._env.spec.stages)},
            path_m=dict(zip(names, np.round(self._paths, 6).tolist(), strict=True)),
            idle=dict(zip(names, np.round(self._idle / self._steps, 6).tolist(), strict=True)),
            largest_force_n=round(self._force, 3),
            drops=self._drops.drops,
            arm_contact_steps=self._arm_contacts if len(names) > 1 else None,
        )

    def _add_contacts(self) -> None:
        touches, heights = self._touches.read(), self._scene.data.subtree_com[self._objects, 2]
        self._drops.update(dict(zip(self._objects, heights.tolist(), strict=True)), touches.held, touches.in_air)
        self._force = max(self._force, touches.largest_force)
        self._arm_contacts += touches.arms_touch

    def _tool_positions(self) -> FloatArray:
        """Tool centre point of each arm [m], shape (arms, 3)."""
        return np.array(self._scene.data.site_xpos[self._sites])
