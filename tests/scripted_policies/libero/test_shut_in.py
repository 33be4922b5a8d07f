"""A thing is put into a place with a door: by a hand that has room in it, all of it, and the door is closed after."""

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.expert import Skill, putting
from ambidex.scripted_policies.libero.geometry import DOWN, corners_of, pointing
from ambidex.scripted_policies.libero.planning.grasps import has_rim, side_grasps
from ambidex.scripted_policies.libero.planning.insert import hand_fits, ways_in
from ambidex.scripted_policies.libero.planning.openings import Opening, find_opening
from ambidex.scripted_policies.libero.skills.insert import Insert
from ambidex.scripted_policies.libero.skills.put import Put
from ambidex.scripted_policies.libero.subgoals import Work, jobs
from ambidex.scripted_policies.registry import make_expert

MUG_INTO_MICROWAVE, INTO_DRAWER = "libero_10/9", "libero_10/3"
MUG, REGION = "white_yellow_mug", "microwave_1_heating_region"


def workplace(task: str) -> Workplace:
    env = make(task, cameras=())
    env.reset(0)
    assert isinstance(env.task, LiberoTask)
    return Workplace(env.scene, env.task)


@pytest.fixture(scope="module")
def cavity() -> Opening:
    work = workplace(MUG_INTO_MICROWAVE)
    found = find_opening(work.scene.model, work.scene.data, work.frames(REGION)[0])
    assert found is not None
    return found


def skill_of_putting(task: str) -> Skill:
    work = workplace(task)
    todo = jobs(work.task.problem, work.holds, lambda lid: True)
    return putting(work, next(job for job in todo if job.work is Work.PUT))


def test_a_place_with_a_door_is_gone_into_and_a_drawer_is_not() -> None:
    assert isinstance(skill_of_putting(MUG_INTO_MICROWAVE), Insert)
    assert type(skill_of_putting(INTO_DRAWER)) is Put


def test_what_is_shut_in_stands_upright_and_does_not_stick_out(cavity: Opening) -> None:
    ways = list(ways_in(MUG, cavity, whole=True))
    assert len(ways) < len(list(ways_in(MUG, cavity)))
    for goal, _ in ways:
        ends = goal.position + corners_of(MUG, goal.quaternion)
        assert goal.axis(2)[2] > 0.999
        assert max(cavity.outside(end) for end in ends) < 0.0


def test_a_mug_is_held_by_its_handle_too() -> None:
    assert {grasp.name for grasp in side_grasps(MUG)} == {"rim", "handle"}
    assert "handle" not in {grasp.name for grasp in side_grasps("white_bowl")}
    assert has_rim(MUG) and not has_rim("black_book")


def test_a_leaning_hand_has_room_under_the_roof_and_one_from_above_has_not(cavity: Opening) -> None:
    spot = cavity.centre + (cavity.front - 0.02) * cavity.outwards
    leaning = pointing(np.array(DOWN) - cavity.outwards, cavity.aside)
    assert hand_fits(Pose(spot, leaning), cavity)
    assert not hand_fits(Pose(spot, pointing(DOWN, cavity.aside)), cavity)
    assert not hand_fits(Pose(spot - 0.1 * cavity.outwards, leaning), cavity)


def test_the_mug_is_put_in_and_the_door_closed() -> None:
    env = make(MUG_INTO_MICROWAVE, cameras=())
    expert = make_expert(env)
    for seed in (0, 14):
        result = rollout(env, expert, seed, stop_at_success=True)
        assert result.success, result.reason
        assert env.scene.body_pose(f"{MUG}_1_main").axis(2)[2] > 0.99
