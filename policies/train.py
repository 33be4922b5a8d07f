"""Trains a policy: what `train-policy` does, from Python."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ambidex.errors import UsageError
from ambidex.flags import changed_flags
from ambidex.output_folder import TRAINING_PACKAGES, check_output_folder, exclusive_lock, versions
from ambidex.policies.checkpoint import load, load_text_files, policy_class
from ambidex.policies.data.dataset import check_directories, read_tables, said_differences
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.run_folder import (
    TRAIN_JSON,
    TRAINING_STATE,
    checkpoint_path,
    default_run,
    remove_leftovers,
    resumable_step,
    saved_steps,
)
from ambidex.policies.training.checks import after_damage, after_other_settings, check_config, schedule_warnings
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.distributed import (
    Ranks,
    choose_device,
    choose_precision,
    joined,
    ranks_from_environment,
    wait_for_all,
)
from ambidex.policies.training.learner import Learner
from ambidex.policies.training.logging import TrainingLog
from ambidex.policies.training.plan import TrainPlan
from ambidex.policies.training.robots import RobotData, robots_of
from ambidex.policies.training.run_info import (
    config_of,
    data_facts,
    differences,
    read_train_json,
    stored_settings,
    write_train_json,
)
from ambidex.policies.training.setup import find_home, make_policy, make_stream, training_batches, with_tasks
from ambidex.policies.training.trainer import Trainer, Validation


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
    _check_files(config, run)
    tables = read_tables(config.data, multi_embodiment=policy_class(config.policy).multi_embodiment)
    config = with_tasks(config, tables)
    with joined(ranks, device), _claimed(run, ranks):
        try:
            _train(config, run, tables, device, ranks)
        except KeyboardInterrupt:
            done = resumable_step(run) or 0
            raise KeyboardInterrupt(f"{done} of {config.steps} steps are saved in {run}.") from None
    return run


@contextmanager
def _claimed(run: Path, ranks: Ranks) -> Iterator[None]:
    """Within, no other training writes there, and nothing half-written is left there."""
    if ranks.first:
        with exclusive_lock(run):
            remove_leftovers(run)
            wait_for_all(ranks)
            yield
    else:
        wait_for_all(ranks)
        yield


def _train(
    config: TrainConfig[Any], run: Path, tables: Sequence[EpisodeTable], device: torch.device, ranks: Ranks
) -> None:
    facts: dict[str, object] = {"data": data_facts(tables), "ranks": ranks.count}
    _check_run(config, run, facts)
    robots = robots_of(config, tables)
    policy = make_policy(config, robots).to(device)
    plan = TrainPlan(config=config, run=run, policy=policy, robots=robots, device=device, ranks=ranks)
    first_weights = _first_weights(plan)
    if ranks.first:
        facts |= {"validation_episodes": _held_out(robots), "first_weights": first_weights}
        write_train_json(run, config, {**_origin(), **facts})
    _use_fast_kernels(device)
    _train_plan(plan, first_weights)


def _check_files(config: TrainConfig[Any], run: Path) -> None:
    """Refuse at once what would be refused after minutes of reading data and making a policy."""
    check_directories(config.data)
    begins_with_files = not (config.adapt or config.finetune) and resumable_step(run) is None
    if begins_with_files:
        policy_class(config.policy).check_weight_files(config.model)


def _first_weights(plan: TrainPlan) -> str:
    """Fill in weights from elsewhere if the run begins; says where they come, or came, from."""
    config, policy = plan.config, plan.policy
    if config.adapt:
        policy.freeze_shared()
    if resumable_step(plan.run):
        return str(read_train_json(plan.run).get("first_weights", ""))
    base = config.adapt or config.finetune
    if not base:
        return policy.load_pretrained()
    said = policy.init_from(load(base).to(plan.device), fresh=config.fresh_interpreter)
    changed = changed_flags(stored_settings(base, config.policy, type(config.model)), config.model)
    return f"{said} Settings of its own: {'; '.join(changed)}." if changed else said


def _held_out(robots: Sequence[RobotData]) -> object:
    """Numbers of the episodes that are held out, for each robot if there are several."""
    return {robot.robot: robot.held_out for robot in robots} if len(robots) > 1 else robots[0].held_out


def _train_plan(plan: TrainPlan, first_weights: str) -> None:
    config, home = plan.config, find_home(plan, plan.robots)
    first_step = resumable_step(plan.run) or 0
    learner = Learner(plan)
    if first_step:
        remedy = after_damage(plan.run, first_step, config.policy)
        learner.state.read(checkpoint_path(plan.run, first_step) / TRAINING_STATE, remedy)
        load_text_files(plan.policy, checkpoint_path(plan.run, first_step))
    quiet, writes = config.quiet, plan.ranks.first
    with TrainingLog(plan.run, config.policy, steps=config.steps, done=first_step, quiet=quiet, writes=writes) as log:
        differences_of_data = [line for robot in plan.robots for line in said_differences(robot.table.specs)]
        begun = [] if first_step else [first_weights, *schedule_warnings(plan)]
        for words in filter(None, (_in_words(plan, home.reason, first_step), *differences_of_data, *begun)):
            log.note(words)
        streams = [make_stream(plan, robot, home) for robot in plan.robots]
        held_out = any(robot.held_out for robot in plan.robots)
        validation = Validation(plan, streams) if plan.ranks.first and held_out else None
        Trainer(plan, learner, training_batches(plan, streams, first_step), validation, log, first_step).run()


def _check_run(config: TrainConfig[Any], run: Path, facts: dict[str, object]) -> None:
    """Refuse to overwrite a run, or to go on with another one than began it."""
    if not config.resume:
        steps = saved_steps(run)
        if steps:
            raise UsageError(
                f"{run} holds a run that has come to step {max(steps)}. Go on with it: `train-policy --resume "
                f"--output-dir {run}`, or give another --output-dir."
            )
        if not (run / TRAIN_JSON).is_file():  # a run without a checkpoint begins again
            check_output_folder(run, TRAIN_JSON, resume=False)
        return
    stored = read_train_json(run)
    old = config_of(run, stored, type(config.model))
    lines = differences(old, config)
    changed = {name: (stored.get(name), value) for name, value in facts.items() if stored.get(name) != value}
    lines += [f"{name} was {was}, now {value}" for name, (was, value) in changed.items()]
    if lines:
        raise UsageError(
            f"--resume: {run} was begun with other settings: {'; '.join(lines)}. "
            f"{after_other_settings(run, old, config, len(lines))}"
        )


def _origin() -> dict[str, object]:
    return {"command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]), "versions": versions(TRAINING_PACKAGES)}


def _use_fast_kernels(device: torch.device) -> None:
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32 for what is not bf16
        torch.backends.cudnn.benchmark = True  # all batches have one shape


def _in_words(plan: TrainPlan, where: str, first_step: int) -> str:
    parameters = sum(parameter.numel() for parameter in plan.policy.parameters()) / 1e6
    training, held_out = (sum(map(len, episodes)) for episodes in _episodes(plan.robots))
    cameras = ", ".join(_cameras(plan)) or "no camera"
    robots = f", {len(plan.robots)} robots" if len(plan.robots) > 1 else ""
    tasks = f", {len(plan.policy.instructions)} tasks told apart" if plan.policy.instructions else ""
    begin = f", going on from step {first_step}" if first_step else ""
    return (
        f"{plan.config.policy}: {parameters:.1f} M parameters on {plan.device} in {plan.config.precision}, "
        f"{training} episodes to train on, {held_out} held out, {cameras}{robots}{tasks}, {where}; written to "
        f"{plan.run}{begin}"
    )


def _episodes(robots: Sequence[RobotData]) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Of each robot: those to train on, and those held out."""
    return [robot.training for robot in robots], [robot.held_out for robot in robots]


def _cameras(plan: TrainPlan) -> tuple[str, ...]:
    inputs = [plan.policy.inputs_for(robot.robot) for robot in plan.robots]
    return tuple(dict.fromkeys(camera for seen in inputs for camera in seen.cameras))
