"""Measures the behaviour of an agent during a rollout."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ambidex.envs.behaviour.drops import DropCounter
from ambidex.envs.behaviour.touches import TouchReader
from ambidex.envs.env import Environment
from ambidex.envs.types import Behaviour, FloatArray, Step

IDLE_SPEED = 0.01
"""An arm is idle if its joints are slower than this [rad/s], and its gripper likewise [openings/s].

Below this speed ros2_control's joint_trajectory_controller takes a joint as stopped (`stopped_velocity_tolerance`).
"""


class BehaviourMeter:
    """Measures episodes of an environment, one after the other, for as long as the environment exists.

    Contacts and heights are those of the last physics step of each control step: MuJoCo knows the forces of contacts
    only until the next one begins.

    Args:
        env: The environment. The meter reads it and changes nothing.
    """

    def __init__(self, env: Environment) -> None:
        self._arms, self._stages = env.scene.robot.arms, env.spec.stages
        model, data = env.scene.model, env.scene.data
        self._touches = TouchReader(env.scene)
        self._drops = DropCounter(env.spec.control_hz)
        self._tool_ids = np.array([model.site(arm.tcp_site).id for arm in self._arms])
        # Views of the data, which are much faster than asking for them by name in every step.
        self._site_positions, self._centres = data.site_xpos, data.subtree_com
        self.reset()
        env.scene.on_step = self._add_contacts

    def reset(self) -> None:
        """Start a new episode in the current state."""
        self._drops.reset()
        self._force, self._arm_contacts = 0.0, 0
        self._tools: list[FloatArray] = [self._tool_positions()]
        self._speeds: list[FloatArray] = []

    def add(self, step: Step) -> None:
        """Measure a control step that the environment has just made."""
        self._tools.append(self._tool_positions())
        self._speeds.append(step.observation.qvel)

    def behaviour(self, stages: Sequence[int]) -> Behaviour | None:
        """The behaviour since the last `reset`; None without steps.

        Args:
            stages: Stage before each step and after the last.
        """
        steps, names = len(self._speeds), [arm.name for arm in self._arms]
        if not steps:
            return None
        spent = Counter(stages[:steps])
        return Behaviour(
            stage_steps={name: spent[stage] for stage, name in enumerate(self._stages)},
            path_m=dict(zip(names, self._paths(), strict=True)),
            idle=dict(zip(names, self._idle_shares(), strict=True)),
            largest_force_n=round(self._force, 3),
            drops=self._drops.drops,
            arm_contact_steps=self._arm_contacts if len(names) > 1 else None,
        )

    def _add_contacts(self) -> None:
        touches = self._touches.read()
        self._drops.update(self._height, touches.held, touches.in_air)
        self._arm_contacts += touches.arms_touch
        if touches.pushes:
            self._force = max(self._force, self._touches.largest_force())

    def _height(self, body: int) -> float:
        """Height of an object's centre of mass [m]."""
        return float(self._centres[body, 2])

    def _tool_positions(self) -> FloatArray:
        """Tool centre point of each arm [m], shape (arms, 3)."""
        return np.asarray(self._site_positions.take(self._tool_ids, 0))

    def _paths(self) -> list[float]:
        """Length of each arm's path [m]."""
        moves = np.linalg.norm(np.diff(self._tools, axis=0), axis=2)
        return [round(length, 6) for length in moves.sum(axis=0).tolist()]

    def _idle_shares(self) -> list[float]:
        """Share of the steps after which each arm stood still."""
        ends = np.cumsum([len(arm.joints) + 1 for arm in self._arms])[:-1]
        slow = np.split(np.abs(self._speeds) < IDLE_SPEED, ends, axis=1)
        return [round(float(arm.all(axis=1).mean()), 6) for arm in slow]
