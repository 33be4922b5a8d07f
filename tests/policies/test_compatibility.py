from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_episode import make_spec

from ambidex.errors import UsageError
from ambidex.policies.compatibility import check_compatible, unseen_tasks_warning

POLICY = make_spec()
SPEC = make_spec(task="a")
OWN = replace(SPEC, task="/home/one/own.bddl", definition_sha256="1" * 64)


def error_of(policy_spec, env_spec, **options):
    with pytest.raises(UsageError) as caught:
        check_compatible(policy_spec, env_spec, **options)
    return caught.value


@pytest.mark.parametrize(
    ("trained_on", "acts_in"),
    [
        (SPEC, SPEC),
        (replace(SPEC, task="b+a"), SPEC),
        (replace(SPEC, task="b+a+c"), SPEC),
        (replace(SPEC, task="x+y.bddl+a"), replace(SPEC, task="x+y.bddl")),
        (OWN, replace(OWN, task="/elsewhere/own.bddl")),
        (OWN, replace(OWN, definition_sha256="")),
    ],
)
def test_tasks_of_the_training_give_no_warning(trained_on, acts_in):
    assert unseen_tasks_warning(trained_on, [acts_in]) == ""


@pytest.mark.parametrize(
    ("trained_on", "acts_in"),
    [
        (SPEC, replace(SPEC, task="b")),
        (replace(SPEC, task="ab+ba"), SPEC),
        (SPEC, replace(SPEC, task="a+b")),
        (OWN, replace(OWN, task="/elsewhere/own.bddl", definition_sha256="2" * 64)),
        (replace(OWN, definition_sha256=""), replace(OWN, task="/elsewhere/own.bddl", definition_sha256="")),
    ],
)
def test_other_tasks_give_a_warning_of_one_line(trained_on, acts_in):
    warning = unseen_tasks_warning(trained_on, [replace(SPEC, task=trained_on.task), acts_in])
    assert warning and "\n" not in warning


def test_the_warning_names_few_tasks_and_counts_many():
    tasks = [replace(SPEC, task=name) for name in "abcdefgh"]
    assert "not trained on b and c, but on a:" in unseen_tasks_warning(SPEC, tasks[:3])
    assert "not trained on 7 tasks, but on a:" in unseen_tasks_warning(SPEC, tasks)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"control": "ee"}, "control: the policy has joint, the environment ee"),
        ({"control_hz": 20.0}, "control_hz: the policy has 50.0, the environment 20.0"),
        ({"image_size": (48, 64)}, "image_size: the policy has (24, 32), the environment (48, 64)"),
        ({"action_names": ("x", "y")}, "right_gripper, the environment x, y."),
        ({"joint_names": ()}, "the environment none."),
        ({"cameras": ("top",)}, "cameras: the policy needs left_wrist, the environment has top"),
        ({"cameras": ()}, "cameras: the policy needs top, left_wrist, the environment has none"),
    ],
)
def test_an_environment_that_does_not_fit_is_refused_with_the_difference(change, difference):
    error = error_of(POLICY, replace(POLICY, task="b", **change))
    assert error.facts["fields"] == tuple(change)
    assert error.problem.startswith("The policy was trained on insertion and cannot act in b: ")
    assert difference in error.problem


def test_another_robot_is_refused_with_all_differences_and_the_embodiments_of_the_checkpoint():
    env_spec = replace(
        POLICY, task="b", robot="panda", control_hz=20.0, image_size=(9, 9), action_names=("x",), cameras=("top",)
    )
    known = (POLICY, replace(POLICY, task="c+d", control="ee"))
    error = error_of(POLICY, env_spec, known=known, checkpoint=Path("run/7"))
    assert error.facts["fields"] == ("robot", "control_hz", "action_names", "image_size", "cameras")
    assert error.problem == (
        "The policy of run/7 cannot act in b, whose robot is panda: it knows viperx_bimanual-joint (trained on "
        "insertion) and viperx_bimanual-ee (trained on c and d). Also different from viperx_bimanual-joint: "
        "control_hz: the policy has 50.0, the environment 20.0; action_names; "
        "image_size: the policy has (24, 32), the environment "
        "(9, 9); cameras: the policy needs left_wrist, the environment has top."
    )


def test_another_robot_may_be_the_only_difference():
    assert error_of(POLICY, replace(POLICY, robot="panda")).facts["fields"] == ("robot",)


@pytest.mark.parametrize(
    ("changes", "options", "fields"),
    [
        ({"control": "ee", "joint_names": ()}, {}, ("control", "joint_names")),
        ({"object_names": ("cube",)}, {"objects": True}, ("object_names",)),
        ({"instruction": "fly"}, {"instructions": ("go",)}, ("instruction",)),
    ],
)
def test_further_differences_of_another_robot_are_listed(changes, options, fields):
    error = error_of(POLICY, replace(POLICY, robot="panda", **changes), **options)
    assert error.facts["fields"] == ("robot", *fields) and all(field in error.problem for field in fields)


def test_a_robot_that_the_policy_knows_but_does_not_use_gets_another_hint():
    panda = replace(POLICY, robot="panda")
    error = error_of(POLICY, panda, known=(POLICY, panda))
    assert "one robot at a time" in error.hint and "one robot at a time" not in error_of(POLICY, panda).hint


def test_other_tasks_other_qualities_and_more_cameras_are_compatible():
    check_compatible(POLICY, replace(POLICY, task="x", instruction="y", spread="wide", render_quality="studio"))
    check_compatible(POLICY, replace(POLICY, cameras=("front", *POLICY.cameras)))
    without_cameras = replace(POLICY, cameras=())
    check_compatible(without_cameras, replace(POLICY, image_size=(9, 9)))
    other = replace(POLICY, object_names=("cube",))
    check_compatible(POLICY, other)
    assert error_of(POLICY, other, objects=True).facts["fields"] == ("object_names",)
