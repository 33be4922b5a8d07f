"""The skill `Knob`: turns the stove's knob by its fin."""

from collections.abc import Iterator

from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.scripted_policies.libero.context import Skill, SkillContext
from ambidex.scripted_policies.libero.geometry import FixtureJoint, advanced, tool_poses
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.grasps import OPEN_GAP
from ambidex.scripted_policies.libero.subgoals import Subgoal, SubgoalKind

ON, OFF = 1.1, -0.35  # position to turn the knob to; off is beyond the stop [rad]
DONE_ON, DONE_OFF = 0.7, -0.003  # [rad]
DEPTH = 0.012  # of the grip site below the fin's top [m]
BACK = 0.07  # from the fin, where the hand comes from and retreats to [m]
TILTS = (0.0, 0.35, -0.35)  # of the hand along the fin, as the tangent of the angle from straight down
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the turn, at which reach is checked


class Knob(Skill):
    """Turns one knob on or off."""

    def __init__(self, context: SkillContext, subgoal: Subgoal) -> None:
        super().__init__(context, subgoal)
        self._joint = FixtureJoint(context.scene, subgoal.target)
        self._fin = f"{subgoal.target.removesuffix('_button')}_knob_handle"
        self._turns_on = subgoal.kind is SubgoalKind.TURN_ON

    def motion(self, attempt: int) -> Motion:
        """Grasp the fin, turn the hand with the knob, let go."""
        hand = self._hand
        tools = list(self._reachable_grasps())
        if not tools:
            return (yield from self._fail())
        tool = tools[attempt % len(tools)]
        turned = self._joint.moved(tool, self._change())
        yield from self._grasp(tool, advanced(tool, -BACK), speed=0.7)
        yield from hand.move_to(turned, until=self._is_done, angle_tolerance=0.03)
        yield from hand.release(BACK)
        return self._is_done()

    def _is_done(self) -> bool:
        position = self._joint.position
        return position > DONE_ON if self._turns_on else position < DONE_OFF

    def _change(self) -> float:
        return (ON if self._turns_on else OFF) - self._joint.position

    def _reachable_grasps(self) -> Iterator[Pose]:
        """Poses of the hand at the fin, in reach during the whole turn, the nearest orientation first."""
        context, reach = self._context, self._context.reach
        context.collisions.sync()
        fin = context.scene.site_pose(self._fin)
        top = fin.position + fin.axis(2) * (float(context.scene.model.site(self._fin).size[2]) - DEPTH)
        here, start, change = self._hand.tool_pose, context.posture().joints, self._change()
        approaches = [tilt * fin.axis(0) - fin.axis(2) for tilt in TILTS]
        options = [tool for approach in approaches for tool in tool_poses(top, approach, fin.axis(1))]
        for tool in sorted(options, key=lambda option: angle_between(here, option)):
            near = reach.joints_at(advanced(tool, -BACK), start)
            joints = None if near is None else reach.free_joints_at(tool, near, OPEN_GAP, continuous=True)
            turns = [self._joint.moved(tool, share * change) for share in SHARES]
            if joints is not None and reach.joints_along(turns, joints) is not None:
                yield tool
