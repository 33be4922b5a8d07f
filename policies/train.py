"""Trains a policy: what `train-policy` does, from Python."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ambidex.directory_lock import claimed
from ambidex.envs.errors import UsageError
from ambidex.policies.checkpoint import read_texts
from ambidex.policies.dataset import read_table
from ambidex.policies.training.device import choose_device, choose_precision
from ambidex.policies.training.learner import Learner
from ambidex.policies.training.ranks import Ranks, joined, ranks_from_environment, wait_for_all
from ambidex.policies.training.run_folder import (
    TRAINING_STATE,
    check_run_folder,
    checkpoint_path,
    default_run,
    remove_leftovers,
    resumable_step,
    saved_steps,
)
from ambidex.policies.training.task_table import with_tasks
from ambidex.policies.training.train_checks import check_config
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training.train_json import config_of, data_facts, differences, read_train_json, write_train_json
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training.trainer import Trainer
from ambidex.policies.training.training_log import TrainingLog
from ambidex.policies.training.training_setup import (
    find_home,
    make_frames,
    make_policy,
    statistics_of,
    training_batches,
)
from ambidex.policies.training.training_versions import training_versions
from ambidex.policies.training.validation import Validation
from ambidex.policies.training_data.episode_table import EpisodeTable
from ambidex.policies.training_data.merged_spec import said_differences
from ambidex.policies.training_data.sample_gatherer import SampleGatherer
from ambidex.policies.training_data.split import split


def train(config: TrainConfig[Any]) -> Path:
    """Train a policy, or go on with its training.

    Args:
        config: What to train on what, and how.

    Returns:
        The run's folder.

    Raises:
        UsageError: Something that is asked for does not exist or cannot be.
        DatasetError: A dataset is missing, empty or damaged, or the run cannot be written.
        CheckpointError: The run to go on with is damaged.
        TrainingError: The loss is not finite. The last checkpoint is whole.
        KeyboardInterrupt: Asked to stop; the message says what is saved.
    """
    check_config(config)
    ranks = ranks_from_environment()
    device = choose_device(config.device, ranks.local)
    run = config.output_dir or default_run(config.policy, config.data)
    config = replace(config, output_dir=run, precision=choose_precision(config.precision, device))
    table = read_table(config.data)
    config = with_tasks(config, table)
    with joined(ranks, device), _claimed(run, ranks):
        try:
            _train(config, run, table, device, ranks)
        except KeyboardInterrupt:
            done = resumable_step(run) or 0
            raise KeyboardInterrupt(f"{done} of {config.steps} steps are saved in {run}.") from None
    return run


@contextmanager
def _claimed(run: Path, ranks: Ranks) -> Iterator[None]:
    """Within, no other training writes there, and nothing half-written is left there."""
    if ranks.first:
        with claimed(run):
            remove_leftovers(run)
            wait_for_all(ranks)
            yield
    else:
        wait_for_all(ranks)
        yield


def _train(config: TrainConfig[Any], run: Path, table: EpisodeTable, device: torch.device, ranks: Ranks) -> None:
    facts: dict[str, object] = {"data": data_facts(table), "ranks": ranks.count}
    _check_run(config, run, facts)
    training, held_out = split(len(table.entries), config.validation_fraction, config.seed)
    statistics = statistics_of(table, table.rows(training))
    policy = make_policy(config, table, statistics).to(device)
    plan = TrainPlan(config=config, run=run, policy=policy, statistics=statistics, device=device, ranks=ranks)
    first_weights = _first_weights(plan)
    if ranks.first:
        facts |= {"validation_episodes": held_out, "first_weights": first_weights}
        write_train_json(run, config, {**_origin(), **facts})
    _use_fast_kernels(device)
    _train_plan(plan, table, training, held_out, first_weights)


def _first_weights(plan: TrainPlan) -> str:
    """Fill in weights from elsewhere if the run begins; says where they come, or came, from."""
    if resumable_step(plan.run):
        return str(read_train_json(plan.run).get("first_weights", ""))
    return plan.policy.load_pretrained()


def _train_plan(
    plan: TrainPlan, table: EpisodeTable, training: tuple[int, ...], held_out: tuple[int, ...], first_weights: str
) -> None:
    config, home = plan.config, find_home(plan, table)
    first_step = resumable_step(plan.run) or 0
    learner = Learner(plan)
    if first_step:
        learner.state.read(checkpoint_path(plan.run, first_step) / TRAINING_STATE)
        read_texts(plan.policy, checkpoint_path(plan.run, first_step))
    quiet, writes = config.quiet, plan.ranks.first
    with TrainingLog(plan.run, config.policy, steps=config.steps, done=first_step, quiet=quiet, writes=writes) as log:
        said = "" if first_step else first_weights
        about = _in_words(plan, table, len(training), home.reason, first_step)
        for words in filter(None, (about, *said_differences(table.specs), said)):
            log.note(words)
        frames = make_frames(plan, table, home)
        gatherer = SampleGatherer(table, plan.policy.chunk_size, plan.device)
        batches = training_batches(plan, table.rows(training), frames, gatherer, first_step)
        rows = table.rows(held_out)
        validation = Validation(plan, rows, frames, gatherer) if len(rows) and plan.ranks.first else None
        Trainer(plan, learner, batches, validation, log, first_step).run()


def _check_run(config: TrainConfig[Any], run: Path, facts: dict[str, object]) -> None:
    """Refuse to overwrite a run, or to go on with another one than began it."""
    if not config.resume:
        steps = saved_steps(run)
        if steps:
            raise UsageError(
                f"{run} holds a run that has come to step {max(steps)}. Go on with it: `train-policy --resume "
                f"--output-dir {run}`, or give another --output-dir."
            )
        check_run_folder(run)
        return
    stored = read_train_json(run)
    lines = differences(config_of(run, stored, type(config.model)), config)
    changed = {name: (stored.get(name), value) for name, value in facts.items() if stored.get(name) != value}
    lines += [f"{name} was {was}, now {value}" for name, (was, value) in changed.items()]
    if lines:
        raise UsageError(
            f"--resume: {run} was begun with other settings: {'; '.join(lines)}. Leave out the flags that differ, "
            "or train in another --output-dir."
        )


def _origin() -> dict[str, object]:
    return {"command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]), "versions": training_versions()}


def _use_fast_kernels(device: torch.device) -> None:
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32 for what is not bf16
        torch.backends.cudnn.benchmark = True  # all batches have one shape


def _in_words(plan: TrainPlan, table: EpisodeTable, training: int, where: str, first_step: int) -> str:
    parameters = sum(parameter.numel() for parameter in plan.policy.parameters()) / 1e6
    held_out = len(table.entries) - training
    cameras = ", ".join(plan.policy.inputs.cameras) or "no camera"
    tasks = f", {len(plan.policy.instructions)} tasks told apart" if plan.policy.instructions else ""
    begin = f", going on from step {first_step}" if first_step else ""
    return (
        f"{plan.config.policy}: {parameters:.1f} M parameters on {plan.device} in {plan.config.precision}, "
        f"{training} episodes to train on, {held_out} held out, {cameras}{tasks}, {where}; written to {plan.run}{begin}"
    )
