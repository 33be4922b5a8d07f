"""Which tasks are known to be new to a policy."""

from dataclasses import replace

import pytest
from synthetic_episode import make_spec

from ambidex.policies.compatibility import unseen_warning

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
    assert unseen_warning(trained_on, [acts_in]) == ""


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
    warning = unseen_warning(trained_on, [replace(SPEC, task=trained_on.task), acts_in])
    assert warning.startswith("The policy was not trained on ") and "\n" not in warning


def test_it_says_which_and_how_many():
    tasks = [replace(SPEC, task=name) for name in "abcdefgh"]
    assert "not trained on b and c, but on a:" in unseen_warning(SPEC, tasks[:3])
    assert "not trained on 7 tasks, but on a:" in unseen_warning(SPEC, tasks)
