"""The command train-policy: help, exit statuses, kills, interrupts, several processes."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import tyro
from safetensors.torch import load_file
from training_runs import settings

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.flags import format_command
from ambidex.policies.train_policy import advice, defaults_for, main, train_config
from ambidex.policies.training import trainer
from ambidex.policies.training.config import COMMAND, TrainConfig
from ambidex.policies.training.train import train

pytestmark = pytest.mark.usefixtures("toy", "one_thread")

TOY = Path(__file__).resolve().parent.parent / "support" / "toy_learner.py"
TRAIN = [sys.executable, str(TOY), "--policy", "toy", "--device", "cpu", "--precision", "fp32"]
RANKS = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(capsys, *words):
    """Exit status, output and errors of the command, run in this process."""
    with pytest.raises(SystemExit) as end:
        main([*TRAIN[2:], *map(str, words)])
    return end.value.code, *capsys.readouterr()


def start(*words):
    return subprocess.Popen(
        [*TRAIN, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )


def weights(run, step="last"):
    return load_file(run / "checkpoints" / str(step) / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def wait_for(path):
    deadline = time.monotonic() + 240  # the machine may be busy
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


def test_help_shows_common_flags_and_help_all_those_of_the_policy_too(capsys):
    code, output, _ = command(capsys, "--help")
    assert code == 0 and "--steps" in output and "--resume" in output and "--ema-decay" not in output
    code, output, _ = command(capsys, "--help-all")
    assert code == 0
    for flag in ("--steps", "--resume", "--precision", "--hidden", "--chunk-size", "--nan-at"):
        assert flag in output


@pytest.mark.parametrize("policy", ["act", "uniact"])
def test_help_has_the_common_settings_of_the_policy(capsys, policy):
    with pytest.raises(SystemExit):
        main(["--policy", policy, "--preset", "tiny", "--help"])
    output = capsys.readouterr().out
    assert "--chunk-size" in output and "--cameras" in output and "--feedforward" not in output


@pytest.mark.parametrize(
    ("policy", "model"),
    [
        ("act", {"observations": "state", "camera_attention": True}),
        ("act", {"cameras": ("top", "angle"), "instructions": ("lift the cube", "insert the peg")}),
        ("uniact", {"main_camera": "top"}),
    ],
)
def test_the_stored_command_gives_the_same_settings(policy, model):
    config = train_config(policy, "tiny", data=["data/a b", "c"], mixture=[1, 2.5], compile=True, data_workers=2)
    config = replace(config, model=replace(config.model, **model))
    words = shlex.split(format_command(COMMAND, config))[1:]
    default = defaults_for(words)
    kind = TrainConfig[type(default.model)]
    assert tyro.cli(kind, args=words, default=default) == config
    assert tyro.cli(kind, args=[*words, "--no-compile"], default=default) == replace(config, compile=False)


def test_training_from_python_stores_its_command_and_the_number_of_threads(states, tmp_path):
    run = train(settings(states, tmp_path / "run", steps=2))
    stored = json.loads((run / "train.json").read_text())
    assert stored["torch_threads"] == torch.get_num_threads()
    command = stored["command"]
    assert command.startswith("train-policy --policy toy") and "--steps 2 " in command and "--hidden 16" in command


def test_an_unknown_policy_gets_a_suggestion(capsys):
    code, _, errors = command(capsys, "--policy", "tyo")
    assert code == 2
    assert errors.startswith("train-policy: Unknown policy 'tyo'. Did you mean 'toy'? Known: act, robovlms, toy")


def test_wrong_usage_exits_with_2_and_failure_with_1(states, tmp_path, capsys):
    run = tmp_path / "run"
    code, _, errors = command(capsys, "--output-dir", run)
    assert code == 2
    assert "No dataset is given" in errors
    code, _, errors = command(capsys, "--data", states, "--output-dir", run, "--nan-at", 3)
    assert code == 1
    assert "not finite in step 3" in errors


WITHOUT_TORCH = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)

sys.meta_path.insert(0, Finder())
from ambidex.policies.train_policy import main
main(["--data", "x"])
"""


def test_without_torch_the_message_names_the_packages_to_install(tmp_path):
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "No module named 'torch'" in done.stderr
    assert "-e '.[train]'" in done.stderr


def test_the_command_trains_and_prints_how_to_benchmark_the_run(states, tmp_path, capsys):
    run = tmp_path / "run"
    code, output, errors = command(capsys, "--data", states, "--output-dir", run, "--steps", 5, "--hidden", 8)
    assert code == 0
    assert f"Trained: {run}." in output
    *_, printed = output.strip().partition("Benchmark it with: run-benchmark ")
    flags = tyro.cli(BenchmarkConfig, args=shlex.split(printed))
    assert (flags.policy, flags.checkpoint, flags.task) == ("toy", run, "insertion")
    assert "3 training episodes, 1 held out" in errors
    assert weights(run)["head.weight"].shape == (70, 8)
    assert command(capsys, "--resume", "--output-dir", run, "--quiet") == (0, "", "")
    for file in run.rglob("env_spec.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"task": "no_task_of_ours"}))
    assert advice("toy", run) == f"Serve it with: serve-policy --checkpoint {run}"


def test_a_killed_run_loses_only_the_steps_since_its_last_checkpoint(states, tmp_path):
    flags = ("--data", states, "--steps", 30, "--save-every", 10, "--quiet")
    process = start(*flags, "--output-dir", tmp_path / "killed", "--pause", 0.02)
    wait_for(tmp_path / "killed" / "checkpoints" / "10")
    process.kill()
    process.communicate()
    saved = sorted(path.name for path in (tmp_path / "killed" / "checkpoints").glob("[0-9]*"))
    assert saved == ["10"]
    config = replace(defaults_for(["--resume", "--output-dir", str(tmp_path / "killed")]), quiet=True)
    train(replace(config, resume=True))
    train(replace(config, output_dir=tmp_path / "whole"))
    assert same(weights(tmp_path / "killed"), weights(tmp_path / "whole"))
    assert not list((tmp_path / "killed" / "checkpoints").glob(".*"))


def test_an_interrupted_run_saves_its_steps_and_prints_how_to_resume(states, tmp_path):
    run = tmp_path / "run"
    process = start("--data", states, "--output-dir", run, "--steps", 1000, "--pause", 0.05, "--save-every", 5)
    wait_for(run / "checkpoints" / "5")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    step = (run / "checkpoints" / "last").readlink().name
    assert step == max((path.name for path in (run / "checkpoints").glob("[0-9]*")), key=int)
    last = errors.splitlines()[-1]
    assert last == (
        f"train-policy: Interrupted. {step} of 1000 steps are saved in {run}. "
        f"Resume with: train-policy --resume --output-dir {run}"
    )
    assert output == ""


def test_a_batch_scheduler_interrupts_a_run_like_ctrl_c(states, tmp_path, monkeypatch, capsys):
    run, left, seed_step = tmp_path / "run", iter(range(3, -1, -1)), trainer.seed_step

    def send_signal_in_step_4(*place):
        if next(left) == 0:
            signal.raise_signal(signal.SIGUSR1)
        seed_step(*place)

    monkeypatch.setattr(trainer, "seed_step", send_signal_in_step_4)
    code, output, errors = command(capsys, "--data", states, "--output-dir", run, "--steps", 1000)
    assert (code, output) == (130, "")
    assert errors.splitlines()[-1] == (
        f"train-policy: Interrupted. 4 of 1000 steps are saved in {run}. "
        f"Resume with: train-policy --resume --output-dir {run}"
    )


def test_interrupted_before_anything_is_saved_the_message_does_not_mention_resuming(
    states, tmp_path, monkeypatch, capsys
):
    def interrupted(directories, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("ambidex.policies.training.train.read_tables", interrupted)
    code, _, errors = command(capsys, "--data", states, "--output-dir", tmp_path / "run")
    assert code == 130
    assert errors == "train-policy: Interrupted. Nothing is saved yet: give the same command again.\n"


@pytest.mark.slow
def test_two_ranks_train_the_weights_of_one_with_twice_the_batch_size(images, tmp_path, capsys):
    flags = "--steps 6 --dropout 0 --ema-decay 0 --observations images --chunk-size 1 --gradient-clip 0"
    shared = ["--data", images, *flags.split(), "--validation-fraction", 0]
    assert command(capsys, *shared, "--batch-size", 8, "--output-dir", tmp_path / "one")[0] == 0
    flags = [*TRAIN[2:], *shared, "--batch-size", 4, "--output-dir", tmp_path / "two"]
    ranks = [*RANKS, TRAIN[1], *map(str, flags)]
    two = subprocess.run(ranks, capture_output=True, text=True, env=ENVIRONMENT)
    assert two.returncode == 0, two.stderr
    a, b = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert command(capsys, *shared, "--batch-size", 8, "--seed", 1, "--output-dir", tmp_path / "fresh")[0] == 0
    c = weights(tmp_path / "fresh")
    for name in a:
        assert torch.allclose(a[name], b[name], atol=1e-4), name
    assert not torch.allclose(a["head.weight"], c["head.weight"], atol=1e-2)
    assert len(list((tmp_path / "two" / "tensorboard").iterdir())) == 1


def test_a_benchmark_of_a_policy_without_torch_names_the_packages_too(tmp_path):
    benchmark = "from ambidex.benchmarks.run_benchmark import main\n"
    command = 'main(["--policy", "act", "--checkpoint", "run", "--task", "transfer_cube"])'
    script = WITHOUT_TORCH.rpartition("from ambidex")[0] + benchmark + command
    (tmp_path / "run" / "checkpoints" / "5").mkdir(parents=True)
    (tmp_path / "run" / "checkpoints" / "last").symlink_to("5")
    (tmp_path / "run" / "checkpoints" / "5" / "config.json").write_text('{"policy": "act"}')
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "-e '.[train]'" in done.stderr, done.stderr
