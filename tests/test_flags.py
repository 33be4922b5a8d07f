from pathlib import Path

import pytest

from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import changed_flags, format_command, parse_command
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig

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
