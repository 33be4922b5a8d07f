import errno
import io
import os
import re
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import tyro

import ambidex
from ambidex import command_line
from ambidex.errors import AmbidexError, DatasetError, UnknownNameError, UsageError
from ambidex.flags import ImageSize, Names, OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.lookup import resolve
from ambidex.worker_pool.ending import STOP_SIGNALS

SCRIPTS = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]["scripts"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Test things."""

    num_episodes: int = 50
    """How many."""
    storage: Annotated[str, tyro.conf.arg(metavar="{lossless,raw}")] = "lossless"
    """How."""
    image_size: ImageSize = None
    """Size [px]."""
    cameras: Names = None
    """Cameras."""
    control: OptionalName = None
    """Control mode."""
    output_dir: OptionalPath = None
    """Where."""
    workers: OptionalInt = None
    """Processes."""
    resume: Switch = False
    """Go on."""
    debug: Switch = False
    """Show tracebacks."""

    def __post_init__(self) -> None:
        if self.workers == 0 and self.resume:
            raise UsageError("--workers 0 and --resume: leave one of the two out.")


def code_of(main, argv=()):
    with pytest.raises(SystemExit) as leaving:
        command_line.run("test-things", main, Config, argv)
    return leaving.value.code


def raising(error):
    def main(config):
        raise error

    return main


def parsed(*argv):
    configs = []
    assert code_of(configs.append, argv) == 0
    return configs[0]


def test_done_and_failed():
    assert code_of(lambda config: None) == 0
    assert code_of(lambda config: 1) == 1


def test_flags_with_hyphens_and_underscores():
    assert parsed("--num-episodes", "3") == parsed("--num_episodes", "3") == Config(num_episodes=3)


def test_optional_flags():
    assert parsed("--image-size", "48", "64", "--cameras", "top", "angle", "--workers", "2") == Config(
        image_size=(48, 64), cameras=("top", "angle"), workers=2
    )
    assert parsed("--cameras", "none", "--output-dir", "a b", "--control", "ee", "--resume") == Config(
        cameras=(), output_dir=Path("a b"), control="ee", resume=True
    )


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--num-episods", "3"], "--num-episodes"),
        (["--num-episodes", "three"], "three"),
        (["--workers", "many"], "many"),
        (["--image-size", "48"], "Expected 2"),
        (["--image-size", "a", "b"], "'a'"),
        (["--cameras"], "one name or more"),
        (["--cameras", "none", "top"], "stands alone"),
        (["stray"], "stray"),
    ],
)
def test_wrong_flags_leave_with_2_and_say_why_on_stderr(argv, words, capsys):
    assert code_of(lambda config: None, argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err


def test_flags_that_do_not_go_together_are_one_paragraph_too(capsys):
    assert code_of(lambda config: None, ["--workers", "0", "--resume"]) == 2
    assert capsys.readouterr().err == "test-things: --workers 0 and --resume: leave one of the two out.\n"


def test_help_leaves_with_0_and_shows_units(capsys):
    assert code_of(lambda config: None, ["--help"]) == 0
    assert "Size [px]." in capsys.readouterr().out


class Grouped(Config):
    help_topics = {"Common options": "num_episodes image_size", "Where and how": "output_dir workers"}


def test_help_shows_the_common_options_and_help_all_every_one_by_topic(capsys):
    for flag, there in (("--help", False), ("--help-all", True)):
        with pytest.raises(SystemExit):
            command_line.run("test-things", lambda config: None, Grouped, [flag])
        out = capsys.readouterr().out
        assert "Common options:" in out and "--num-episodes INT" in out and "(default: 50)" in out
        assert ("Where and how:" in out) == ("Other options:" in out) == ("--storage {lossless,raw}" in out) == there
        assert ("Show all 9 options." in out) != there


@pytest.mark.parametrize("flags", [["--version"], ["--workers", "x", "--version"]])
def test_version(capsys, flags):
    assert code_of(lambda config: None, flags) == 0
    assert capsys.readouterr().out == f"test-things (ambidex {ambidex.__version__})\n"


def test_version_comes_before_defaults_that_cannot_be_made(capsys):
    with pytest.raises(SystemExit) as leaving:
        command_line.defaults_or_exit("test-things", raising(UsageError("There is no run.")), ["--resume", "--version"])
    assert leaving.value.code == 0 and ambidex.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--image-size", "240x320"], ["--image-size=240x320"], ["--image_size", "240,320"]])
def test_an_image_size_in_one_word_is_refused_with_the_words_to_type(words, capsys):
    assert code_of(lambda config: None, words) == 2
    assert "--image-size 240 320" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["recorders.record_episodes", "policies.train_policy"])
def test_help_has_its_text_without_docstrings(command):
    """`python -OO` removes them."""
    run = f"from ambidex.{command} import main; main(['--help'])"
    done = subprocess.run([sys.executable, "-OO", "-c", run], capture_output=True, text=True, check=True)
    assert re.match(r"usage: [\w-]+ \[options\]\n\n(Record episodes|Train a policy) ", done.stdout)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownNameError("storage", "lossles", ["lossless", "raw"]), 2),
        (DatasetError("a.hdf5 is damaged."), 1),
        (AmbidexError("No."), 1),
    ],
)
def test_a_known_error_is_one_paragraph_under_the_commands_name(error, code, capsys):
    assert code_of(raising(error)) == code
    out, err = capsys.readouterr()
    assert out == "" and err == f"test-things: {error}\n"


def test_an_unexpected_error_asks_for_debug(capsys):
    assert code_of(raising(KeyError("flux"))) == 1
    err = capsys.readouterr().err
    assert err.startswith("test-things: An unexpected error") and "KeyError: 'flux'" in err and "--debug" in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys):
    assert code_of(raising(DatasetError("damaged")), ["--debug"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err and err.endswith("test-things: damaged\n")


def test_ctrl_c_says_what_is_kept(capsys):
    assert code_of(raising(KeyboardInterrupt("3 episodes are kept."))) == 130
    assert capsys.readouterr().err == "test-things: Interrupted. 3 episodes are kept.\n"


@pytest.mark.parametrize("number", sorted(STOP_SIGNALS))
def test_the_first_signal_interrupts_and_later_ones_do_not_disturb_cleaning_up(number, capsys):
    done = []

    def main(config):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
            done.append("cleaned up")
            raise KeyboardInterrupt("3 episodes are kept.") from None

    assert code_of(main) == 130 and done
    assert capsys.readouterr().err == "test-things: Interrupted. 3 episodes are kept.\n"


def test_signals_that_are_ignored_stay_so_and_handlers_are_restored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    before = signal.getsignal(signal.SIGTERM)
    assert code_of(lambda config: signal.raise_signal(signal.SIGHUP)) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_while_a_commands_modules_are_imported_is_one_line():
    code = "import signal, sys; sys.argv[0] = sys.argv[1]; import ambidex; signal.raise_signal(signal.SIGINT)"
    command = [sys.executable, "-c", code, "/usr/bin/record-episodes"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (130, "record-episodes: Interrupted.\n")
    assert set(SCRIPTS) == ambidex._COMMANDS


def test_too_little_memory_is_no_bug(capsys):
    assert code_of(raising(MemoryError())) == 1
    err = capsys.readouterr().err
    assert "not enough memory" in err and "bug" not in err


@pytest.mark.parametrize("argv", [["--output-dir", ""], ["--output-dir="]])
def test_an_empty_argument_is_refused(argv, capsys):
    assert code_of(lambda config: None, argv) == 2
    assert "after --output-dir" in capsys.readouterr().err


def test_on_a_terminal_paragraphs_are_wrapped(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    command_line.print_message("test-things", "word " * 30)
    assert max(map(len, terminal.getvalue().splitlines())) <= 40


BABBLE = """
import sys
from dataclasses import dataclass
from ambidex.command_line import run

@dataclass(frozen=True)
class Config:
    debug: bool = False

def main(config):
    for _ in range(100_000):
        sys.stdout.write("word " * 20 + "\\n")

run("babble", main, Config, [])
"""


def test_a_reader_that_leaves_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-c", BABBLE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    ) as babble:
        babble.stdout.readline()
        babble.stdout.close()
        assert babble.stderr.read() == b""


PRINTS_BOTH = """
import sys
from dataclasses import dataclass
from pathlib import Path
from ambidex.command_line import print_message, print_result, run

@dataclass(frozen=True)
class Config:
    debug: bool = False

def main(config):
    print_message("prints", "A message.")
    with open("work", "w") as file:
        file.write(str(file.fileno()))
    print_result("Done." * 10_000)

run("prints", main, Config, [])
"""


@pytest.mark.parametrize(
    ("streams", "code", "said"),
    [
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 1, "prints: A message.\nprints: The output could not be printed"),
        ("2>/dev/full", 0, "Done."),
    ],
)
def test_streams_that_are_closed_or_full_lose_no_work(streams, code, said, tmp_path):
    command = f'"{sys.executable}" -c "$0" {streams}'
    run = subprocess.run(["sh", "-c", command, PRINTS_BOTH], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == code and (run.stdout + run.stderr).startswith(said)
    assert (run.stdout + run.stderr).count("\n") <= 2
    assert int((tmp_path / "work").read_text()) > 2  # what goes to a standard stream must not get into a file


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_into_a_pipe_that_is_closed_says_nothing(unbuffered):
    code = "from ambidex.recorders.record_episodes import main; main()"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        [sys.executable, "-c", code, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as run:
        run.stdout.close()
        said = run.stderr.read()
    assert run.returncode == 0 and said == b""


def test_a_wrong_value_is_reported_once(capsys):
    assert command_line.peek_flags(["--num-episodes", "five"], Config) == Config()
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.EMFILE, "Too many open files", "/data/a.hdf5"),
            ("/data/a.hdf5: Too many open files", "ulimit -n"),
        ),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/x" * 99), ("File name too long", "shorter")),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), ("/root/x: Permission denied",)),
        (OSError("device gone"), ("device gone",)),
    ],
)
def test_an_error_of_the_system_names_the_file_and_the_cause(capsys, error, words):
    assert code_of(raising(error)) == 1
    err = capsys.readouterr().err
    assert all(word in err for word in words) and "bug" not in err


def test_names_with_control_characters_cannot_act_on_the_terminal(capsys):
    assert code_of(raising(DatasetError("bad name \x1b[2J"))) == 1
    command_line.print_result("a\x9bb")
    out, err = capsys.readouterr()
    assert "\\x1b[2J" in err and "\x1b" not in err and out == "a\\x9bb\n"


@pytest.mark.parametrize("path", ["nowhere", "."])
@pytest.mark.parametrize(
    "words",
    [
        "verify-episodes {}",
        "render-episodes {}",
        "inspect-dataset {}",
        "watch-rollouts {}",
        "compare-policies {} {}",
        "merge-results {} --output-dir merged",
        "verify-results {}",
        "export-results {}",
        "report-robustness {}",
        "train-policy --data {} --observations state",
        "run-benchmark --policy act --task insertion --checkpoint {}",
        "run-benchmark --policy hold --task libero_goal/1 --init-states {}",
        "record-episodes --bddl-file {}",
        "merge-datasets {} --output-dir merged",
    ],
)
def test_a_path_that_does_not_exist_or_is_something_else_is_wrong_usage(words, path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name, *argv = words.format(path, path).split()
    with pytest.raises(SystemExit) as end:
        resolve("command", name, SCRIPTS)(argv)
    assert end.value.code == 2 and capsys.readouterr().err.startswith(f"{name}: ")
