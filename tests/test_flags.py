import inspect
import pydoc
import re
import tomllib
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from command_configs import CONFIGS as CONFIG_OF

from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import (
    Flags,
    OptionalName,
    changed_flags,
    field_descriptions,
    format_command,
    help_text,
    parse_command,
)
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
MAINS = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]
each_command = pytest.mark.parametrize("command", MAINS)

CONFIGS = [
    RecordConfig(),
    RecordConfig(
        task="insertion",
        cameras=("top", "angle"),
        image_size=(48, 64),
        keep_failures=True,
        workers=0,
        noise=0.25,
        max_attempts=7,
        output_dir=Path("with space/data"),
    ),
    RecordConfig(task="aloha", cameras=(), control="ee", video="all"),
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("brief", [False, True])
def test_text_and_back(config, brief):
    assert (
        parse_command("record-episodes", format_command("record-episodes", config, brief=brief), RecordConfig) == config
    )


def test_from_python_paths_may_be_text_and_tuples_lists():
    config = RecordConfig(cameras=["top"], image_size=[48, 64], output_dir="data")
    assert config == RecordConfig(cameras=("top",), image_size=(48, 64), output_dir=Path("data"))
    assert RecordConfig(cameras="top").cameras == ("top",)
    assert CompareConfig(results=["a", Path("b")]).results == (Path("a"), Path("b"))
    assert RecordConfig(cameras=[], task="insertion").cameras == ()


def test_from_python_none_is_no_camera():
    assert RecordConfig(cameras="none").cameras == RecordConfig(cameras=("none",)).cameras == ()
    assert CompareConfig(results="none").results == (Path("none"),)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("num_episodes", "5", "int"),
        ("num_episodes", True, "int"),
        ("quiet", 1, "bool"),
        ("noise", "small", "float"),
        ("image_size", 120, "tuple[int, int] | None"),
        ("image_size", (1, 2, 3), "tuple[int, int] | None"),
        ("cameras", 5, "tuple[str, ...] | None"),
        ("output_dir", 5, "Path | None"),
        ("seed", np.int64(5), "int"),
        ("task", None, "str"),
    ],
)
def test_a_value_of_another_type_is_a_usage_error(field, value, expected):
    with pytest.raises(UsageError, match=field) as caught:
        RecordConfig(**{field: value})
    assert caught.value.facts == {"field": field, "got": value, "expected": expected}


def test_an_integer_is_a_number():
    assert RecordConfig(noise=1) == RecordConfig(noise=1.0)


@pytest.mark.parametrize("kind", [kind for kind in CONFIG_OF.values() if issubclass(kind, Flags)])
def test_signatures_show_types_as_they_are_written_in_code(kind):
    assert list(inspect.signature(kind).parameters) == [field.name for field in fields(kind)]
    assert "Annotated" not in pydoc.render_doc(kind, renderer=pydoc.plaintext).partition("__annotations__")[0]
    if kind is RecordConfig:
        assert "num_episodes: int = 50" in str(inspect.signature(kind))


def test_the_brief_form_has_what_was_changed():
    config = RecordConfig(task="insertion", cameras=(), resume=True)
    assert (
        format_command("record-episodes", config, brief=True)
        == "record-episodes --task insertion --cameras none --resume"
    )


def test_what_is_left_out_is_not_there():
    text = format_command("record-episodes", CONFIGS[1], leave_out=RUN_ONLY)
    assert "space" not in text and "workers" not in text and "--max-attempts 7" in text


def test_differences_name_both_values():
    assert changed_flags(CONFIGS[1], CONFIGS[2], ignore=RUN_ONLY | {"task", "noise", "max_attempts"}) == [
        "--control was auto, now ee",
        "--cameras was top angle, now none",
        "--image-size was 48 64, now auto",
        "--keep-failures was True, now False",
        "--video was none, now all",
    ]


def test_a_command_of_another_version_is_an_error():
    with pytest.raises(DatasetError, match="--flux"):
        parse_command("record-episodes", "record-episodes --flux 3", RecordConfig)


def test_another_command_is_an_error():
    with pytest.raises(UsageError, match="but by: render-episodes x"):
        parse_command("record-episodes", "render-episodes x", RecordConfig)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    """Where lines end must not decide whether a test passes."""
    monkeypatch.setenv("COLUMNS", "110")


def printed_help(command, flag, capsys):
    with pytest.raises(SystemExit):
        import_module(MAINS[command].partition(":")[0]).main([flag])
    return " ".join(capsys.readouterr().out.split())


@each_command
@pytest.mark.parametrize("flag", ["--help", "--help-all"])
def test_help_starts_with_the_first_line_of_the_docstring(command, flag, capsys):
    usage, _, rest = printed_help(command, flag, capsys).partition(CONFIG_OF[command].__doc__.split("\n")[0])
    assert re.fullmatch(rf"usage: {command} \[options\][^a-z]*", usage) and rest


@each_command
def test_short_descriptions_are_whole_sentences(command, capsys):
    shown = printed_help(command, "--help", capsys)
    assert not re.search(r"e\.g\.?( --| \(default|$)", shown) and shown.count("(") == shown.count(")")


@each_command
def test_auto_is_a_default_only_where_it_is_explained(command, capsys):
    for flag in ("--help", "--help-all"):
        options = re.split(r" (?=--[a-z])", printed_help(command, flag, capsys))
        assert not [option for option in options if "(default: auto)" in option and option.count("auto") < 2]


@dataclass(frozen=True, kw_only=True)
class Described:
    """Test things."""

    control: OptionalName = None
    """Control mode, e.g. joint, or none (in tests only. Not elsewhere). More of it."""
    fallback: OptionalName = None
    """What else? auto is nothing."""


def test_the_first_sentence_does_not_end_at_an_abbreviation_or_in_brackets():
    complete = " ".join(help_text("test-things", Described, None, complete=True).split())
    assert complete.count("More of it.") == 1
    Described.help_topics = {"Common options": "control fallback"}
    shown = " ".join(help_text("test-things", Described, None, complete=False).split())
    assert "e.g. joint, or none (in tests only. Not elsewhere). --fallback" in shown
    assert "auto is nothing. (default: auto)" in shown


@pytest.mark.parametrize("command", ["record-episodes", "run-benchmark"])
def test_the_short_help_says_when_a_task_is_required(command, capsys):
    (task,) = re.findall(r"--task NAME ([^.]*)\.", printed_help(command, "--help", capsys))
    assert "required unless" in task and "--bddl-file" in task


def test_fields_of_all_configs_are_described():
    for kind in CONFIG_OF.values():
        assert set(field_descriptions(kind)) == {field.name for field in fields(kind)}


def test_an_unclosed_quote_is_an_error():
    with pytest.raises(DatasetError):
        parse_command("record-episodes", "record-episodes --task 'insertion", RecordConfig)
