"""Which environments a policy cannot act in, and which tasks are known to be new to it."""

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_episode import make_spec

from ambidex.errors import UsageError
from ambidex.policies.compatibility import check_compatible, unseen_tasks_warning

SEEN = make_spec()
SPEC = make_spec(task="a")
OWN = replace(SPEC, task="/home/one/own.bddl", definition_sha256="1" * 64)


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
def test_tasks_of_the_training_need_no_word(trained_on, acts_in):
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
def test_others_are_named(trained_on, acts_in):
    warning = unseen_tasks_warning(trained_on, [replace(SPEC, task=trained_on.task), acts_in])
    assert warning.startswith("The policy was not trained on ") and "\n" not in warning


def test_it_says_which_and_how_many():
    tasks = [replace(SPEC, task=name) for name in "abcdefgh"]
    assert "not trained on b and c, but on a:" in unseen_tasks_warning(SPEC, tasks[:3])
    assert "not trained on 7 tasks, but on a:" in unseen_tasks_warning(SPEC, tasks)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"control": "ee"}, "control: the policy has joint, the environment ee"),
        ({"control_hz": 20.0}, "control_hz: the policy has 50.0, the environment 20.0"),
        ({"image_size": (48, 64)}, r"image_size: the policy has \(24, 32\), the environment \(48, 64\)"),
        ({"action_names": ("x", "y")}, r"action_names: the policy has left_0, .*, right_6, the environment x, y\."),
        ({"joint_names": ()}, r"joint_names: .*, the environment none\."),
        ({"cameras": ("top",)}, "cameras: the policy needs left_wrist, the environment has top"),
        ({"cameras": ()}, "cameras: the policy needs top, left_wrist, the environment has none"),
    ],
)
def test_an_environment_that_does_not_fit_is_refused_with_the_difference(change, says):
    with pytest.raises(UsageError, match=f"The policy was trained on insertion and cannot act in b: {says}"):
        check_compatible(SEEN, replace(SEEN, task="b", **change))


def test_another_robot_is_told_with_all_that_differs_and_the_robots_that_the_checkpoint_knows():
    there = replace(
        SEEN, task="b", robot="panda", control_hz=20.0, image_size=(9, 9), action_names=("x",), cameras=("top",)
    )
    with pytest.raises(UsageError) as caught:
        check_compatible(SEEN, there, known=(SEEN, replace(SEEN, task="c+d", control="ee")), checkpoint=Path("run/7"))
    assert str(caught.value) == (
        "The policy of run/7 cannot act in b, whose robot is panda: it knows viperx_bimanual-joint (trained on "
        "insertion) and viperx_bimanual-ee (trained on c and d). Also different from viperx_bimanual-joint: "
        "control_hz: the policy has 50.0, the environment 20.0; action_names; "
        "image_size: the policy has (24, 32), the environment "
        "(9, 9); cameras: the policy needs left_wrist, the environment has top. Take a checkpoint that was trained on "
        "data of panda, or a task of a robot it knows."
    )


def test_another_robot_that_is_alike_has_no_further_differences():
    with pytest.raises(UsageError) as caught:
        check_compatible(SEEN, replace(SEEN, robot="panda"))
    assert "it knows viperx_bimanual-joint (trained on insertion). Take a checkpoint" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "options", "names"),
    [
        ({"control": "ee", "joint_names": ()}, {}, ["control: the policy has joint", "joint_names"]),
        ({"object_names": ("cube",)}, {"objects": True}, ["object_names"]),
        ({"instruction": "fly"}, {"instructions": ("go",)}, ["instruction: the environment has 'fly'"]),
    ],
)
def test_another_robot_hides_no_difference(changes, options, names):
    with pytest.raises(UsageError) as caught:
        check_compatible(SEEN, replace(SEEN, robot="panda", **changes), **options)
    assert all(name in str(caught.value) for name in ["Also different from viperx_bimanual-joint", *names])


def test_a_robot_that_is_not_the_one_in_use_is_no_unknown_one():
    panda = replace(SEEN, robot="panda")
    with pytest.raises(UsageError, match="one of its robots at a time, now another; give the tasks of each a run"):
        check_compatible(SEEN, panda, known=(SEEN, panda))


def test_other_tasks_qualities_and_more_cameras_fit():
    check_compatible(SEEN, replace(SEEN, task="x", instruction="y", spread="wide", render_quality="studio"))
    check_compatible(SEEN, replace(SEEN, cameras=("front", *SEEN.cameras)))
    blind = replace(SEEN, cameras=())
    check_compatible(blind, replace(SEEN, image_size=(9, 9)))
    other = replace(SEEN, object_names=("cube",))
    check_compatible(SEEN, other)
    with pytest.raises(UsageError, match="object_names"):
        check_compatible(SEEN, other, objects=True)
