"""How Put places what it holds: where it lets go if the hand collides, and how it comes down."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.composition import free_joint_name
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.hand import SLOW, Motion
from ambidex.scripted_policies.libero.planning.pick import GENTLE, PickPlanner, PutPlan
from ambidex.scripted_policies.libero.skills.put import RAISED, RAISED_SPARE, Put
from ambidex.scripted_policies.libero.subgoals import Subgoal, SubgoalKind

BOWL_INTO_DRAWER, CAN_INTO_BASKET = "libero_goal/3", "libero_object/0"
BOWL_INTO_OPEN_DRAWER = "libero_90/KITCHEN_SCENE5_put_the_black_bowl_in_the_top_drawer_of_the_cabinet"
PLACEMENT = Pose.at((0.1, 0.2, 0.3))
PLAN = PutPlan(Pose.at((0.0, 0.0, 1.0)), PLACEMENT, drop=0.003)
ELSEWHERE = replace(PLAN, placement=PLACEMENT.shifted((0.1, 0.0, 0.0)), drop=0.006)
FROM_HIGH = replace(ELSEWHERE, drop=0.05)


@pytest.fixture(scope="module")
def env() -> Iterator[Environment]:
    env = make(BOWL_INTO_DRAWER, cameras=())
    env.reset(0)
    yield env
    env.close()


def put_skill(env: Environment) -> Put:
    assert isinstance(env.task, LiberoTask)
    context = SkillContext(env.scene, env.task)
    atom = next(atom for atom in env.task.problem.goal if atom.predicate in ("in", "on"))
    return Put(context, Subgoal(SubgoalKind.PUT, atom.arguments[0], atom))


def as_held(monkeypatch: pytest.MonkeyPatch, env: Environment, free_from: float, elsewhere: PutPlan | None) -> PutPlan:
    """What becomes of PLAN if the hand is free of collisions from a height above its placement on."""
    height = PLACEMENT.position[2] + free_from
    monkeypatch.setattr(Put, "_can_release", lambda self, placement: placement.position[2] >= height - 1e-9)
    monkeypatch.setattr(PickPlanner, "replaced", lambda self, plan: elsewhere)
    return put_skill(env)._as_held(PLAN)


def as_is(plan: PutPlan) -> Pose:
    assert plan.placement is not None
    return plan.placement


@pytest.mark.parametrize(
    ("free_from", "elsewhere", "expected"),
    [
        (0.0, ELSEWHERE, "planned"),
        (RAISED[1], ELSEWHERE, "raised"),  # a little higher is better than elsewhere
        (RAISED[-1], ELSEWHERE, "elsewhere"),  # a bowl may not fall
        (RAISED[-1], FROM_HIGH, "raised"),
        (RAISED[-1], None, "raised"),
        (1.0, ELSEWHERE, "elsewhere"),
        (1.0, FROM_HIGH, "elsewhere"),
        (1.0, None, "planned"),
    ],
)
def test_a_bowl_is_let_go_higher_or_elsewhere_if_the_hand_collides(
    monkeypatch: pytest.MonkeyPatch, env: Environment, free_from: float, elsewhere: PutPlan | None, expected: str
) -> None:
    found = as_held(monkeypatch, env, free_from, elsewhere)
    raised = free_from + RAISED_SPARE
    heights = {"raised": raised, "elsewhere": 0.0, "planned": 0.0}
    plan = elsewhere if expected == "elsewhere" else PLAN
    assert plan is not None
    assert found.drop == pytest.approx(plan.drop + heights[expected])
    expected_position = as_is(plan).shifted((0.0, 0.0, heights[expected])).position
    np.testing.assert_allclose(as_is(found).position, expected_position)


def test_what_may_lie_falls_rather_than_going_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    basket = make(CAN_INTO_BASKET, cameras=())
    basket.reset(0)
    assert as_held(monkeypatch, basket, RAISED[-1], ELSEWHERE).drop > GENTLE
    basket.close()


@pytest.mark.parametrize(("task", "level"), [(BOWL_INTO_OPEN_DRAWER, True), (CAN_INTO_BASKET, False)])
def test_only_an_object_that_is_open_at_the_top_has_to_stay_level(
    monkeypatch: pytest.MonkeyPatch, task: str, level: bool
) -> None:
    env = make(task, cameras=())
    env.reset(1)
    skill, asked = put_skill(env), []

    def satisfies(atom: Atom, pose: Pose, *, level: bool = False) -> bool:
        asked.append(level)
        return True

    monkeypatch.setattr(skill._context.drops, "satisfies", satisfies)
    plan = skill._plan(0)
    assert plan is not None and plan.placement is not None
    assert set(asked) == {level}
    env.close()


def test_an_object_in_the_air_touches_nothing_and_one_on_the_table_does() -> None:
    env = make(BOWL_INTO_DRAWER, cameras=())
    env.reset(0)
    skill = put_skill(env)
    assert skill._context.touches_scene(skill._obj)
    joint = env.scene.data.joint(free_joint_name(skill._obj))
    joint.qpos[2] += 0.3
    env.scene.refresh()
    assert not skill._context.touches_scene(skill._obj)
    joint.qpos[:3] = env.scene.body_pose("robot0_right_hand").position
    env.scene.refresh()
    assert env.scene.bodies_touch(body_name(skill._obj), "robot0_right_hand")
    assert not skill._context.touches_scene(skill._obj)
    env.close()


def followed(env: Environment, monkeypatch: pytest.MonkeyPatch, route: list[Pose]) -> list[int]:
    """Lengths of the routes at whose ends the hand stops exactly."""
    skill, lengths = put_skill(env), []

    def follow(waypoints: list[Pose], *, exact: bool = False) -> Motion:
        assert exact
        lengths.append(len(waypoints))
        yield
        return True

    monkeypatch.setattr(skill._hand, "follow", follow)
    list(skill._carry(route))
    return lengths


def test_the_hand_stops_where_its_route_goes_down(monkeypatch: pytest.MonkeyPatch, env: Environment) -> None:
    up, over, end = (Pose.at(position) for position in ((0, 0, 1), (1, 0, 1), (1, 0, 0.5)))
    assert followed(env, monkeypatch, [up, over, end]) == [2, 1]
    assert followed(env, monkeypatch, [up, over]) == [2]
    assert followed(env, monkeypatch, [end]) == [1]


def steps_to_arrive(env: Environment, monkeypatch: pytest.MonkeyPatch, *, slowed: bool, speeds: list[float]) -> int:
    """Steps until a hand that passes its goal at several speeds [m/step] has arrived."""
    hand = put_skill(env)._hand
    goal = hand.tool_pose
    positions = iter(np.cumsum(speeds) - np.cumsum(speeds)[-1])
    monkeypatch.setattr(type(hand), "tool_pose", property(lambda self: goal.shifted((next(positions), 0.0, 0.0))))
    return len(list(hand.move_to(goal, slowed=slowed)))


@pytest.mark.parametrize(("slowed", "steps"), [(False, 0), (True, 2)])
def test_a_hand_that_has_to_be_slow_does_not_arrive_while_it_passes(
    env: Environment, monkeypatch: pytest.MonkeyPatch, slowed: bool, steps: int
) -> None:
    speeds = [0.0, 1.2 * SLOW, 0.1 * SLOW]
    assert steps_to_arrive(env, monkeypatch, slowed=slowed, speeds=speeds) == steps
