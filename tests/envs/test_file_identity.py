"""Specs know the content of the files behind them."""

from dataclasses import replace
from hashlib import sha256

import pytest
from definition_text import TEXT, changed

from ambidex.codec import from_json, to_json
from ambidex.envs.env import make, make_from_spec
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my_task.bddl"
    path.write_text(TEXT)
    return path


def test_a_spec_has_the_fingerprint_of_its_definition(own):
    spec = make(str(own), cameras=()).spec
    assert spec.definition_sha256 == sha256(TEXT.encode()).hexdigest()
    assert make("insertion", cameras=()).spec.definition_sha256 == ""
    assert from_json(EnvSpec, to_json(spec)) == spec


def test_an_edited_definition_is_another(own):
    before = make(str(own), cameras=()).spec
    own.write_text(changed("in the drawer", "in a drawer"))
    after = make(str(own), cameras=()).spec
    (line,) = before.differences(after)
    assert f"the definition of {own} has changed" in line and before.definition_sha256 in line
    with pytest.raises(UsageError, match=r"The definition .*my_task\.bddl has changed: its SHA-256 was"):
        make_from_spec(before)
    assert make_from_spec(after).spec == after


def test_what_an_older_file_does_not_say_is_no_difference(own):
    spec = make(str(own), cameras=()).spec
    values = to_json(spec)
    del values["definition_sha256"], values["init_states_sha256"]
    older = from_json(EnvSpec, values)
    assert older.definition_sha256 == "" and not older.differences(spec) and not spec.differences(older)
    assert make_from_spec(older).spec == spec


def test_initial_states_are_the_same_wherever_they_lie(own):
    spec = make(str(own), cameras=()).spec
    here = replace(spec, init_states="/here.init", init_states_sha256="a" * 64)
    assert here.differences(replace(here, init_states="/there.init")) == []
    (line,) = here.differences(replace(here, init_states_sha256="b" * 64))
    assert line.startswith("init_states_sha256: ")
    (line,) = here.differences(replace(here, init_states="/there.init", init_states_sha256=""))
    assert line.startswith("init_states: ")
    (line,) = spec.differences(here)
    assert line.startswith("init_states: ")


def test_a_copy_stands_in_for_the_file_that_is_gone(own):
    before = make(str(own), cameras=())
    copy = own.with_name("definition.bddl")
    own.rename(copy)
    after = make_from_spec(before.spec, copy)
    assert after.spec == before.spec and after.spec.instruction == "my task"
    assert (after.reset(3).state == before.reset(3).state).all()
