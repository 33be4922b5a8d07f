import subprocess
import sys

import pytest

import ambidex
from ambidex.envs.simulation import opengl
from ambidex.errors import RenderingError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("MUJOCO_GL", "PYOPENGL_PLATFORM", *opengl.VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("backend", list(opengl.LIBRARIES))
def test_a_backend_without_its_library_is_refused_before_mujoco_is_imported(backend, monkeypatch):
    monkeypatch.setattr(opengl, "_loads", lambda library: False)
    monkeypatch.setenv("MUJOCO_GL", backend)
    with pytest.raises(RenderingError, match=opengl.PACKAGES[backend]) as caught:
        opengl.check_environment()
    assert caught.value.facts["variable"] == "MUJOCO_GL" and caught.value.facts["got"] == backend


def test_values_with_which_mujoco_can_be_imported_pass(monkeypatch):
    for value in ("", "egl", "off", "glx"):
        monkeypatch.setenv("MUJOCO_GL", value)
        opengl.check_environment()


def test_a_platform_of_pyopengl_other_than_the_backend_is_named(monkeypatch):
    monkeypatch.setenv("PYOPENGL_PLATFORM", "glx")
    with pytest.raises(RenderingError) as caught:
        opengl.choose_backend()
    assert caught.value.facts == {"variable": "PYOPENGL_PLATFORM", "got": "glx"}


def failing(width, height):
    raise RuntimeError("no display")


@pytest.mark.parametrize("variable", opengl.VARIABLES)
def test_a_variable_that_can_keep_a_context_from_being_made_is_named_and_not_drivers(variable, monkeypatch):
    monkeypatch.setattr(opengl, "_context_class", lambda backend: failing)
    monkeypatch.setenv(variable, "1")
    with pytest.raises(RenderingError) as caught:
        opengl.make_context(8, 8)
    assert caught.value.facts["variables"] == {variable: "1"}
    assert variable in caught.value.hint and "apt-get" not in caught.value.hint


def test_a_limit_of_address_space_is_named_and_not_drivers(monkeypatch):
    monkeypatch.setattr(opengl, "_context_class", lambda backend: failing)
    monkeypatch.setattr(opengl.resource, "getrlimit", lambda kind: (600_000_000, 600_000_000))
    with pytest.raises(RenderingError, match=r"0\.6 GB.*ulimit -v") as caught:
        opengl.make_context(8, 8)
    assert "apt-get" not in caught.value.hint


def test_without_drivers_the_packages_are_named(monkeypatch):
    monkeypatch.setattr(opengl, "_context_class", lambda backend: failing)
    with pytest.raises(RenderingError, match=r"no display.*apt-get install libegl1"):
        opengl.make_context(8, 8)


def test_from_python_an_import_that_mujoco_refuses_names_the_variable(monkeypatch):
    def refused(module):
        raise AttributeError("'NoneType' object has no attribute 'glGetError'")

    imported = ambidex.import_module
    monkeypatch.setattr(
        ambidex, "import_module", lambda name: refused(name) if name.endswith("env") else imported(name)
    )
    with pytest.raises(AttributeError, match="glGetError"):
        _ = ambidex.make
    monkeypatch.setattr(opengl, "_loads", lambda library: False)
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    with pytest.raises(RenderingError, match="libosmesa6"):
        _ = ambidex.make


def test_an_environment_that_is_not_closed_ends_quietly_also_if_torch_was_imported_first():
    code = "import torch, ambidex; env = ambidex.make('insertion', image_size=(24, 32)); env.reset(0).images()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
