"""Small trainings, interrupted or on two ranks, and readers of their results."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ambidex.policies.train_policy import train_config
from ambidex.policies.training import trainer
from ambidex.policies.training.train import train

SHARDED = {
    "policy": "layered",
    "model": {"dropout": 0.0},
    "batch_size": 2,
    "accumulate_steps": 2,
    "steps": 9,
    "save_every": 4,
    "log_every": 1,
    "validate_every": 3,
    "learning_rate": 1e-3,
}
"""Settings of trainings that are compared between one process and two."""


def settings(data, run, *, policy="toy", preset="base", model=None, **changes):
    config = train_config(policy, preset)
    changes = {"save_every": 8, "log_every": 4, "validate_every": 10, "device": "cpu", "precision": "fp32", **changes}
    model = dataclasses.replace(config.model, **(model or {}))
    return dataclasses.replace(config, data=(data,), output_dir=run, quiet=True, model=model, **changes)


def tensors(run, step):
    folder = run / "checkpoints" / str(step)
    return {path.name: load_file(path) for path in sorted(folder.rglob("*.safetensors"))}


def same_tensors(a, b):
    return a.keys() == b.keys() and all(
        a[file].keys() == b[file].keys() and all(torch.equal(a[file][name], b[file][name]) for name in a[file])
        for file in a
    )


def curves(run):
    """Tag -> (step, value), as written by the last process that did the step."""
    found = {}
    for file in sorted((run / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime_ns):
        events = EventAccumulator(str(file))
        events.Reload()
        for tag in events.Tags()["scalars"]:
            found.setdefault(tag, {}).update({event.step: event.value for event in events.Scalars(tag)})
    return {tag: sorted(points.items()) for tag, points in found.items()}


def interrupt(config, after):
    """Train `after` steps and one more, during which Ctrl-C is pressed."""
    left, seed_step = iter(range(after, -1, -1)), trainer.seed_step

    def counted(*place):
        if next(left) == 0:
            signal.raise_signal(signal.SIGINT)
        seed_step(*place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "seed_step", counted)
        with pytest.raises(KeyboardInterrupt, match=f" of {config.steps} steps are saved in"):
            train(config)


def train_on_two_ranks(flags, program="uniact_ranks.py"):
    """Run a program of this folder under torchrun."""
    ranks = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [*ranks, str(Path(__file__).with_name(program)), *map(str, flags)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr


def train_on_two_nodes(folders, flags, timeout=120):
    """Run train-policy as on two machines, in two folders; returns their exit statuses and what they print."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    started = []
    for node, folder in enumerate(folders):
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", node]
        words = [*torchrun, "--nproc-per-node", 1, "--master-addr", "127.0.0.1", "--master-port", port]
        words += ["-m", "ambidex.policies.train_policy", *flags]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        started.append(
            subprocess.Popen([*map(str, words)], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, **pipes)
        )
    try:
        errors = [process.communicate(timeout=timeout)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    return [process.returncode for process in started], errors
