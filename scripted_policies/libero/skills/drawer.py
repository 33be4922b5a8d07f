"""The skill `Drawer`: pulls a drawer open by its handle, or pushes it shut."""

from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.scripted_policies.libero.context import Skill, SkillContext
from ambidex.scripted_policies.libero.geometry import DOWN, FixtureJoint, advanced, tool_poses
from ambidex.scripted_policies.libero.hand import CLOSE, OPEN, Motion
from ambidex.scripted_policies.libero.planning.drawer_motion import ABOVE, BACK, OUT, DrawerPlanner
from ambidex.scripted_policies.libero.subgoals import Subgoal, SubgoalKind

PULLED, DONE_OPEN = -0.168, -0.156  # position to pull the drawer to, and from which it is open enough [m]
HALF_PULLED, HALF_OPEN = -0.142, -0.128  # likewise for a top drawer that need not count as open [m]
SHUT, DONE_SHUT = 0.022, 0.003  # position to push the drawer to, beyond its stop, and from which it is shut [m]
AJAR = -0.1  # position from which a drawer is open enough to be opened further from inside [m]
INSIDE, OVER_BAR = 0.057, 0.014  # of a hand that does so, from the bar's middle inwards and up [m]
MIN_HELD_GAP = 0.004  # of a hand that holds the bar [m]


class Drawer(Skill):
    """Opens or closes one drawer."""

    def __init__(self, context: SkillContext, subgoal: Subgoal) -> None:
        super().__init__(context, subgoal)
        self._joint = FixtureJoint(context.scene, subgoal.target)
        self._handle = f"{subgoal.target.removesuffix('_level')}_handle"
        self._planner = DrawerPlanner(context, self._joint, self._handle)
        self._opens = subgoal.kind is SubgoalKind.OPEN
        wide = self._atom.predicate == "open" or not subgoal.target.endswith("_top_level")
        self._pulled, self._open_enough = (PULLED, DONE_OPEN) if wide else (HALF_PULLED, HALF_OPEN)

    def motion(self, attempt: int) -> Motion:
        """Pull or push; true if the drawer is where it should be."""
        if self._opens and self._joint.position < AJAR:
            return (yield from self._open_from_inside())
        motions = self._planner.pulls(self._pulled) if self._opens else self._planner.pushes(SHUT)
        if not motions:
            return (yield from self._fail())
        tool, end = motions[attempt % len(motions)]
        yield from self._pull(tool) if self._opens else self._push(tool, end)
        return self._is_done()

    def _pull(self, tool: Pose) -> Motion:
        hand = self._hand
        yield from self._grasp(tool, advanced(tool, -BACK), speed=0.6)
        if hand.gap() > MIN_HELD_GAP:
            goal = self._joint.moved(hand.tool_pose, self._pulled - self._joint.position)
            yield from hand.move_to(goal, speed=0.6, until=self._is_done)
        return (yield from hand.release(BACK))

    def _push(self, tool: Pose, end: Pose) -> Motion:
        hand = self._hand
        hand.grip = CLOSE
        before = tool.shifted(-OUT * self._joint.axis)
        yield from hand.follow(self._context.empty_route(before.shifted((0.0, 0.0, ABOVE))))
        yield from hand.move_to(before, tolerance=0.01)
        yield from hand.move_to(end, speed=0.8, until=self._is_done, timeout=60)
        yield from hand.move_to(hand.tool_pose.shifted(-0.02 * self._joint.axis), tolerance=0.01)
        away = hand.tool_pose.shifted(-OUT * self._joint.axis + [0.0, 0.0, ABOVE])
        yield from hand.move_to(away, tolerance=0.03)
        hand.grip = OPEN
        return True

    def _open_from_inside(self) -> Motion:
        """Push the front outwards from inside a drawer that is partly open."""
        context, hand = self._context, self._hand
        bar = context.scene.site_pose(self._handle)
        position = bar.position + INSIDE * self._joint.axis + [0.0, 0.0, OVER_BAR]
        options = tool_poses(position, DOWN, bar.axis(0))
        tool = min(options, key=lambda option: angle_between(hand.tool_pose, option))
        hand.grip = CLOSE
        yield from hand.follow(context.empty_route(tool.shifted((0.0, 0.0, ABOVE))))
        yield from hand.move_to(tool, tolerance=0.008)
        goal = tool.shifted((PULLED - 0.014 - self._joint.position) * self._joint.axis)
        yield from hand.move_to(goal, speed=0.8, until=self._is_done, timeout=25)
        yield from hand.move_to(hand.tool_pose.shifted(0.01 * self._joint.axis), tolerance=0.006)
        yield from hand.move_to(hand.tool_pose.shifted((0.0, 0.0, ABOVE)), tolerance=0.02)
        hand.grip = OPEN
        return self._is_done()

    def _is_done(self) -> bool:
        position = self._joint.position
        return position < self._open_enough if self._opens else position > DONE_SHUT
