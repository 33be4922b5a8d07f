"""The expert for sweep_beads: the left hand brings the dustpan to the beads, the right one sweeps them into it."""

import math

import numpy as np

from ambidex.envs.objects.aloha.dustpan_and_brush import (
    BEAD_RADIUS,
    BRUSH_HALF,
    BRUSH_HANDLE,
    MOUTH,
    PAN_FLOOR,
    PAN_HANDLE,
    RAMP_LENGTH,
)
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.conditions import offset
from ambidex.envs.tasks.aloha.sweep_beads import BEADS, beads_inside
from ambidex.envs.types import FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, Path, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import CLEARANCE, fixed, guided, pick, place, take_hold, tool_for, upright_yaw

PITCH = math.radians(75.0)  # of both tools: less steep, the wrists would be nearly straight, which is singular
PAN_GRASP, BRUSH_GRASP = PAN_HANDLE[0] + 0.045, BRUSH_HANDLE[0] - 0.05  # along the handles (x) [m]
BEFORE_BEADS = 0.04  # between the mouth of the pan and the nearest bead [m]
TIPPED, PRESS = math.radians(1.5), 0.002  # of the pan: mouth downwards, and how far below the table [rad, m]
PAN_HOVER = 0.02  # height from which the pan is lowered [m]
BEHIND_BEADS = 0.012  # between the farthest bead and the brush at the beginning of a stroke [m]
COVERED = BRUSH_HALF[1] - BEAD_RADIUS - 0.002  # distance from the brush's middle to a bead that it takes along [m]
HOVER = 0.045  # of the brush above the table between strokes [m]
BACKWARDS = 0.015  # of the brush while it is raised after a stroke [m]
SKIM = 0.0025  # of the bristles above the table or the floor of the pan during a stroke [m]
INSIDE = 0.055  # how far the brush goes into the pan [m]
SIDEWAYS = 0.002  # of the brush from the middle of the mouth at most: a bead fits between it and each wall [m]
SLANTED = 3.0  # how many times as long a way to the side takes
STROKES = 4  # at most
SWEEPING_SPEED = 0.16  # mean of a stroke [m/s]
CLEAR = 0.03  # between brush and pan before the pan is lifted [m]
LIFT = 0.06  # of the pan at the end [m]
WAIT_S = 6.0  # at most, for the other arm [s]


class SweepBeadsExpert(BimanualExpert):
    """Strokes begin behind the beads that are left, at the side where most of them are, and end in the pan."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._ready = self._swept = False
        self._brush_place = self.scene.body_pose("brush")
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        yield from take_hold(arm, "dustpan", self._on_pan, before=self._above())
        target = self._pan_place()
        yield from arm.move_joints(tool_for(arm, "dustpan", self.jitter(target.shifted((0.0, 0.0, PAN_HOVER)))))
        yield from arm.move_straight(lambda: tool_for(arm, "dustpan", target), speed=0.5)
        self._ready = True
        yield from arm.wait_until(lambda: self._swept and self._brush_is_clear(), timeout=30.0)
        yield from arm.move_straight(fixed(arm.reference_pose.shifted((0.0, 0.0, LIFT))), speed=0.5)

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from pick(arm, "brush", self._on_brush, above=self._on_brush().shifted(self._above()))
        for _ in range(STROKES):
            left = self._beads_left()
            if not len(left):
                break
            yield from self._stroke(arm, left)
        self._swept = True
        yield from place(arm, "brush", fixed(self._brush_place), above=HOVER)

    def _stroke(self, arm: ArmMotion, beads: FloatArray) -> Motion:
        start = self._stroke_start(beads)
        yield from arm.move_joints(tool_for(arm, "brush", self.jitter(start.shifted((0.0, 0.0, HOVER)))))
        yield from arm.wait_until(lambda: self._ready, timeout=WAIT_S)
        yield from arm.move_straight(lambda: tool_for(arm, "brush", start), speed=0.5)
        path, length = self._sweeping(start, beads)
        yield from arm.follow(guided(arm, "brush", path), duration=length / SWEEPING_SPEED, timeout=0.2)
        yield from arm.move_straight(fixed(arm.tool_pose.shifted((BACKWARDS, 0.0, HOVER))), timeout=0.12)

    def _brush_is_clear(self) -> bool:
        """Whether the brush is out of the way of the pan."""
        between = offset(self.scene, "brush", "dustpan")
        return bool(between[0] > MOUTH + BRUSH_HALF[0] + CLEAR)

    def _above(self) -> FloatArray:
        return self.jitter(Pose.at((0.0, 0.0, CLEARANCE))).position

    def _on_pan(self) -> Pose:
        pan = self.scene.body_pose("dustpan")
        handle = pan @ Pose.at((PAN_GRASP, 0.0, PAN_HANDLE[1]))
        return Pose(handle.position, tool_orientation(upright_yaw(pan), PITCH))

    def _on_brush(self) -> Pose:
        brush = self.scene.body_pose("brush")
        handle = brush @ Pose.at((BRUSH_GRASP, 0.0, BRUSH_HANDLE[1]))
        return Pose(handle.position, tool_orientation(math.pi + upright_yaw(brush), PITCH))

    def _pan_place(self) -> Pose:
        """Before the beads, its mouth towards them and pressed on the table, the handle slightly raised."""
        beads = self._positions()
        x = beads[:, 0].min() - BEAD_RADIUS - BEFORE_BEADS - MOUTH
        y = (beads[:, 1].min() + beads[:, 1].max()) / 2
        height = MOUTH * math.sin(TIPPED) - PRESS
        return Pose.at((x, y, height), quaternion_about((0, 1, 0), TIPPED))

    def _positions(self) -> FloatArray:
        return self.scene.body_poses(BEADS).reshape(-1, 7)[:, :3]

    def _beads_left(self) -> FloatArray:
        """Positions of the beads outside of the pan that a stroke can bring into it (N, 3) [m]."""
        positions, inside = self._positions(), beads_inside(self.scene)
        pan = self.scene.body_pose("dustpan").position
        before, aside = positions[:, 0] - pan[0] - MOUTH, np.abs(positions[:, 1] - pan[1])
        reachable = before > np.maximum(0.0, aside - COVERED - SIDEWAYS)
        outside = np.array([name not in inside for name in BEADS])
        return np.asarray(positions[reachable & outside])

    def _stroke_start(self, beads: FloatArray) -> Pose:
        """Behind the beads, before the mouth as far as may be; too many for one stroke: on the farther side."""
        middle = self.scene.body_pose("dustpan").position[1]
        low, high = beads[:, 1].max() - COVERED, beads[:, 1].min() + COVERED  # between which all are covered
        if low <= high:
            y = np.clip(middle, low, high)
        else:
            y = low if beads[:, 1].max() - middle > middle - beads[:, 1].min() else high
        return Pose.at((beads[:, 0].max() + BEAD_RADIUS + BEHIND_BEADS + BRUSH_HALF[0], y, SKIM))

    def _sweeping(self, start: Pose, beads: FloatArray) -> tuple[Path, float]:
        """The way of the brush into the pan, and its length [m].

        It goes straight past the beads, then sideways to the mouth, and into the pan over its ramp.
        """
        pan, (x, y, z) = self.scene.body_pose("dustpan"), start.position
        mouth, last = pan.position[0] + MOUTH + BRUSH_HALF[0], beads[:, 0].min() + BRUSH_HALF[0]
        end_x, middle = mouth - INSIDE, pan.position[1]
        end_y = float(np.clip(y, middle - SIDEWAYS, middle + SIDEWAYS))

        def at(share: float) -> Pose:
            here = x + share * (end_x - x)
            sideways = float(np.clip((last - here) / (last - mouth), 0.0, 1.0))
            return Pose(np.array([here, y + sideways * (end_y - y), z + _rise(pan, mouth - here)]), start.quaternion)

        return at, float(np.hypot(x - end_x, SLANTED * (end_y - y)))


def _rise(pan: Pose, depth: float) -> float:
    """Height [m] of the pan's ramp or floor above the table, at a distance from its mouth [m]."""
    if depth <= 0.0:
        return 0.0
    floor = min(depth / RAMP_LENGTH, 1.0) * PAN_FLOOR
    return float((pan @ Pose.at((MOUTH - depth, 0.0, floor))).position[2])
