"""A predicate world in which tests set all positions and contacts."""

import math

import mujoco
import numpy as np

from ambidex.envs.arenas.libero import arena_of
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.bddl.reader import parse_problem
from ambidex.envs.tasks.libero.goals import predicates
from ambidex.envs.tasks.libero.goals.world import ModelWorld

NUDGE = 1e-6  # from a limit [m or rad]
ORIGIN, REGION_Z = (-0.2, 0.0), 0.867  # of the study
SITE_HALF = (0.03, 0.05, 0.02)

DEFINITION = """
(define (problem LIBERO_Study_Tabletop_Manipulation)
  (:regions
    (spot (:target study_table) (:ranges ((0.1 -0.2 0.2 0.2))))
    (two_spots (:target study_table) (:ranges ((0.1 -0.2 0.2 0.2) (0.3 0.0 0.4 0.1))))
    (home (:target study_table) (:ranges ((-0.1 -0.1 0.1 0.1))))
    (contain_region (:target basket_1))
    (top_side (:target wooden_cabinet_1))
    (top_region (:target wooden_cabinet_1)) (middle_region (:target wooden_cabinet_1)))
  (:fixtures study_table - study_table wooden_cabinet_1 - wooden_cabinet
             microwave_1 - microwave flat_stove_1 - flat_stove)
  (:objects milk_1 - milk basket_1 - basket)
  (:init (On milk_1 study_table_home) (On basket_1 study_table_home) (On wooden_cabinet_1 study_table_home)
         (On microwave_1 study_table_home) (On flat_stove_1 study_table_home))
  (:goal (And (On milk_1 study_table_spot))))
"""
MODEL = """
<mujoco>
  <worldbody>
    <body name="milk_1_main"><freejoint name="milk_1_joint0"/><geom size="0.01" mass="1"/></body>
    <body name="basket_1_main">
      <freejoint name="basket_1_joint0"/><geom size="0.01" mass="1"/>
      <site name="basket_1_contain_region" type="box" pos="0.1 0.02 0.03" size="0.03 0.05 0.02"/>
    </body>
    <body name="wooden_cabinet_1_main" mocap="true">
      <site name="wooden_cabinet_1_top_side" type="box" size="0.03 0.05 0.02"/>
      <body name="top">
        <joint name="wooden_cabinet_1_top_level" type="slide"/><geom size="0.01" mass="1"/>
        <site name="wooden_cabinet_1_top_region" type="box" size="0.03 0.05 0.02"/>
      </body>
      <body name="middle"><joint name="wooden_cabinet_1_middle_level" type="slide"/><geom size="0.01" mass="1"/></body>
      <body name="bottom"><joint name="wooden_cabinet_1_bottom_level" type="slide"/><geom size="0.01" mass="1"/></body>
    </body>
    <body name="microwave_1_main" mocap="true">
      <body name="door"><joint name="microwave_1_microjoint"/><geom size="0.01" mass="1"/></body>
    </body>
    <body name="flat_stove_1_main" mocap="true">
      <body name="knob"><joint name="flat_stove_1_button"/><geom size="0.01" mass="1"/></body>
    </body>
  </worldbody>
</mujoco>
"""


class World(ModelWorld):
    """Positions and contacts are set, not simulated."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(MODEL)
        self.data = mujoco.MjData(self.model)
        self.contacts: set[frozenset[str]] = set()
        problem, arena = parse_problem(DEFINITION), arena_of("libero_study_tabletop_manipulation")
        super().__init__(self.model, self.data, problem, arena, lambda a, b: frozenset((a, b)) in self.contacts)

    def touch(self, a: str, b: str) -> None:
        self.contacts.add(frozenset((f"{a}_main", f"{b}_main")))

    def put(self, name: str, position: object, yaw: float = 0.0) -> None:
        turned = [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
        self.data.joint(f"{name}_joint0").qpos = [*np.asarray(position, dtype=float), *turned]
        mujoco.mj_kinematics(self.model, self.data)

    def move(self, joint: str, position: float) -> None:
        self.data.joint(joint).qpos = position
        mujoco.mj_kinematics(self.model, self.data)

    def holds(self, predicate: str, *arguments: str) -> bool:
        return predicates.holds(self, Atom(predicate, arguments))
