"""Specs store hashes of the files that an environment is made from, and environments check them."""

from dataclasses import replace
from hashlib import sha256

import pytest
from definition_text import TEXT, changed

from ambidex.codec import from_json, to_json
from ambidex.envs.env import make, make_from_spec
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError


@pytest.fixture
def definition(tmp_path):
    path = tmp_path / "my_task.bddl"
    path.write_text(TEXT)
    return path


def test_a_spec_has_the_hash_of_its_definition(definition):
    spec = make(str(definition), cameras=(), instruction_source="filename").spec
    assert spec.definition_sha256 == sha256(TEXT.encode()).hexdigest()
    assert make("insertion", cameras=()).spec.definition_sha256 == ""
    assert from_json(EnvSpec, to_json(spec)) == spec


def test_an_edited_definition_is_refused(definition):
    before = make(str(definition), cameras=(), instruction_source="filename").spec
    definition.write_text(changed("in the drawer", "in a drawer"))
    after = make(str(definition), cameras=(), instruction_source="filename").spec
    (line,) = before.differences(after)
    assert f"the definition of {definition} has changed" in line and before.definition_sha256 in line
    with pytest.raises(UsageError) as caught:
        make_from_spec(before)
    assert caught.value.facts == {"expected": before.definition_sha256, "got": after.definition_sha256}
    assert make_from_spec(after).spec == after


def test_missing_hashes_are_no_difference(definition):
    spec = make(str(definition), cameras=(), instruction_source="filename").spec
    values = to_json(spec)
    del values["definition_sha256"], values["init_states_sha256"]
    older = from_json(EnvSpec, values)
    assert older.definition_sha256 == "" and not older.differences(spec) and not spec.differences(older)
    assert make_from_spec(older).spec == spec


def test_initial_states_are_compared_by_content(definition):
    spec = make(str(definition), cameras=(), instruction_source="filename").spec
    here = replace(spec, init_states="/here.init", init_states_sha256="a" * 64)
    assert here.differences(replace(here, init_states="/there.init")) == []
    (line,) = here.differences(replace(here, init_states_sha256="b" * 64))
    assert line.startswith("init_states_sha256: ")
    (line,) = here.differences(replace(here, init_states="/there.init", init_states_sha256=""))
    assert line.startswith("init_states: ")
    (line,) = spec.differences(here)
    assert line.startswith("init_states: ")


def test_a_copy_of_the_definition_replaces_the_missing_file(definition):
    before = make(str(definition), cameras=(), instruction_source="filename")
    copy = definition.with_name("definition.bddl")
    definition.rename(copy)
    after = make_from_spec(before.spec, copy)
    assert after.spec == before.spec and after.spec.instruction == "my task"
    assert (after.reset(3).state == before.reset(3).state).all()
