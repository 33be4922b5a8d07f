"""Trains a policy: `train` does in Python what the command `train-policy` does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ambidex.atomic_files import remove_leftovers
from ambidex.codec import to_json
from ambidex.errors import UsageError
from ambidex.flags import changed_flags, format_command
from ambidex.output_folder import TRAINING_PACKAGES, check_output_folder, exclusive_lock, versions
from ambidex.policies.checkpoint import load, load_text_files, policy_class, read_description, read_specs
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.dataset import check_directories, read_tables, remarks
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.run_folder import (
    CHECKPOINTS,
    TRAIN_JSON,
    TRAINING_STATE,
    checkpoint_path,
    default_run,
    find_checkpoint,
    resumable_step,
    saved_steps,
)
from ambidex.policies.training.checks import (
    check_config,
    check_data_is_there,
    check_sharding,
    chunk_warnings,
    hint_after_changes,
    hint_after_damage,
    schedule_warnings,
)
from ambidex.policies.training.config import COMMAND, RUN_ONLY, TrainConfig
from ambidex.policies.training.distributed import (
    FSDP,
    Ranks,
    barrier,
    check_same_everywhere,
    choose_device,
    choose_precision,
    process_group,
    ranks_from_environment,
    together,
)
from ambidex.policies.training.large_models.layers import checkpoint_layers, transformer_layers
from ambidex.policies.training.learner import Learner, trained_parameters
from ambidex.policies.training.plan import TrainPlan, split_data
from ambidex.policies.training.run_info import (
    TrainInfo,
    changed_settings,
    config_of,
    data_facts,
    read_train_json,
    stored_settings,
)
from ambidex.policies.training.setup import make_policy, make_stream, plan_storage, training_batches, with_instructions
from ambidex.policies.training.trainer import Trainer, Validation
from ambidex.policies.training.training_log import TrainingLog
from ambidex.text import pluralize


def train(config: TrainConfig[Any]) -> Path:
    """Train a policy, or resume its training.

    Args:
        config: The settings; `ambidex.train_config` gives those of a preset.

    Returns:
        The run folder.

    Raises:
        UsageError: A setting does not exist or is not possible.
        DatasetError: A dataset is missing, empty or damaged, or the run cannot be written.
        CheckpointError: The run to resume is damaged.
        TrainingError: The loss is not finite. The last checkpoint is complete.
        KeyboardInterrupt: A signal asked to stop; the message says what is saved.
    """
    check_config(config)
    ranks = ranks_from_environment()
    check_sharding(config, ranks)
    device = choose_device(config.device, ranks.local)
    run = config.output_dir or default_run(config.policy, config.data)
    config = replace(config, output_dir=run, precision=choose_precision(config.precision, device))
    with process_group(ranks, device):
        with together(ranks):
            _check_files(config, run)
            tables = _read_data(config)
        config = with_instructions(config, tables)
        with _exclusive_run(run, ranks):
            try:
                _train(config, run, tables, device, ranks)
            except KeyboardInterrupt:
                done = resumable_step(run) or 0
                raise KeyboardInterrupt(f"{done} of {config.steps} steps are saved in {run}.") from None
    return run


def _read_data(config: TrainConfig[Any]) -> tuple[EpisodeTable, ...]:
    several, exclude = policy_class(config.policy).multi_embodiment, config.exclude_episodes
    return read_tables(config.data, multi_embodiment=several, control=config.control, exclude=exclude)


def _check_files(config: TrainConfig[Any], run: Path) -> None:
    """Check what would otherwise fail only after minutes of reading data and building the policy."""
    if config.resume:
        check_data_is_there(config, run)
    check_directories(config.data)
    if step := resumable_step(run):
        read_description(checkpoint_path(run, step))
    elif base := config.adapt or config.finetune:
        read_description(find_checkpoint(base))
    else:
        policy_class(config.policy).check_weight_files(config.model)


@contextmanager
def _exclusive_run(run: Path, ranks: Ranks) -> Iterator[None]:
    """Keep other trainings out of the run folder, and remove unfinished files."""
    if ranks.first:
        with exclusive_lock(run):
            remove_leftovers(run / CHECKPOINTS)
            barrier(ranks)
            try:
                yield
            finally:
                remove_leftovers(run / CHECKPOINTS)
    else:
        barrier(ranks)
        yield


def _train(
    config: TrainConfig[Any], run: Path, tables: Sequence[EpisodeTable], device: torch.device, ranks: Ranks
) -> None:
    facts = data_facts(tables)
    with together(ranks):
        _check_run(config, run, {"data": facts, "ranks": ranks.count})
    check_same_everywhere(ranks, {"data": facts, **versions(TRAINING_PACKAGES)})
    data = split_data(config, tables)
    if not resumable_step(run):
        _check_base(config, {each.embodiment for each in data})
    policy = make_policy(config, data)
    if config.sharding == FSDP:
        transformer_layers(policy, "--sharding fsdp")
    if config.gradient_checkpointing:
        checkpoint_layers(policy)
    plan = TrainPlan(config=config, run=run, policy=policy, data=data, device=device, ranks=ranks)
    first_weights = _load_first_weights(plan)
    if config.sharding != FSDP:  # which moves one layer after the other
        policy.to(device)
    if ranks.first:
        held_out = {each.embodiment: each.held_out for each in data} if len(data) > 1 else data[0].held_out
        TrainInfo(
            policy=config.policy,
            command=format_command(COMMAND, config, leave_out=RUN_ONLY),
            versions=versions(TRAINING_PACKAGES),
            data=facts,
            ranks=ranks.count,
            torch_threads=torch.get_num_threads(),
            validation_episodes=held_out,
            first_weights=first_weights,
            config=to_json(config),
        ).write(run)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32 where it is not bf16
        torch.backends.cudnn.benchmark = True  # batches of images have few shapes
    _run_trainer(plan, first_weights)


def _check_base(config: TrainConfig[Any], embodiments: set[str]) -> None:
    """Refuse settings that do not fit the weights of the base checkpoint, before weights are made or loaded."""
    base, cls = config.adapt or config.finetune, policy_class(config.policy)
    if base and cls.multi_embodiment:
        stored = stored_settings(base, config.policy, type(config.model))
        known = {embodiment_of(spec) for spec in read_specs(find_checkpoint(base))}
        fresh = config.fresh_interpreter or not known & embodiments
        cls.check_base(config.model, stored, fresh=fresh)


def _check_run(config: TrainConfig[Any], run: Path, facts: Mapping[str, object]) -> None:
    """Refuse to overwrite a run, or to resume one with other settings or data."""
    if not config.resume:
        steps = saved_steps(run)
        if steps:
            hint = f"Resume it with `train-policy --resume --output-dir {run}`, or give another --output-dir."
            raise UsageError(f"{run} holds a run of {pluralize(max(steps), 'step')}.", hint, path=run, got=steps)
        if not (run / TRAIN_JSON).is_file():  # a run without a checkpoint restarts
            check_output_folder(run, TRAIN_JSON, resume=False)
        return
    stored = read_train_json(run)
    old = config_of(run, stored, type(config.model))
    flags = changed_settings(old, config)
    changed = {name: (stored.get(name), value) for name, value in facts.items() if stored.get(name) != value}
    lines = [*flags, *(f"{name} was {_shown(was)}, now {_shown(now)}" for name, (was, now) in changed.items())]
    if lines:
        kind = "settings" if flags or set(changed) != {"data"} else "data"
        problem = f"--resume: {run} was started with other {kind}: {'; '.join(lines)}."
        raise UsageError(problem, hint_after_changes(run, old, config, flags, changed), path=run, got=lines)


def _shown(value: object) -> object:
    """Data as their numbers and the start of their SHA-256, all else as it is."""
    if not (isinstance(value, Mapping) and {"episodes", "samples", "sha256"} <= set(value)):
        return value
    episodes, samples = pluralize(int(value["episodes"]), "episode"), pluralize(int(value["samples"]), "sample")
    return f"{episodes}, {samples} (SHA-256 {str(value['sha256'])[:8]})"


def _load_first_weights(plan: TrainPlan) -> str:
    """Load pretrained weights, or those of a checkpoint, into a new run; returns a description of their source."""
    config, policy = plan.config, plan.policy
    if config.adapt:
        policy.freeze_shared()
    if resumable_step(plan.run):
        return str(read_train_json(plan.run).get("first_weights", ""))
    base = config.adapt or config.finetune
    if not base:
        return policy.to(plan.device).load_pretrained()  # on its device, which decides its attention
    source = policy.init_from(load(base), fresh=config.fresh_interpreter)
    changed = changed_flags(stored_settings(base, config.policy, type(config.model)), config.model)
    return f"{source} Settings that differ: {'; '.join(changed)}." if changed else source


def _run_trainer(plan: TrainPlan, first_weights: str) -> None:
    config, (storage, reason) = plan.config, plan_storage(plan)
    first_step = resumable_step(plan.run) or 0
    learner = Learner(plan)
    if first_step:
        checkpoint = checkpoint_path(plan.run, first_step)
        learner.state.read(checkpoint / TRAINING_STATE, hint_after_damage(plan.run, first_step))
        load_text_files(plan.policy, checkpoint)
    quiet, writes = config.quiet, plan.ranks.first
    with TrainingLog(plan.run, config.policy, steps=config.steps, done=first_step, quiet=quiet, writes=writes) as log:
        about_data = [line for each in plan.data for line in remarks(each.table)]
        new_run = [] if first_step else [first_weights, *schedule_warnings(plan), *chunk_warnings(plan)]
        for text in filter(None, (_summary(plan, reason, first_step), *about_data, *new_run)):
            log.note(text)
        streams = [make_stream(plan, each, storage) for each in plan.data]
        held_out = any(each.held_out for each in plan.data)
        validates = plan.ranks.first or config.sharding == FSDP  # shards need all processes in each forward pass
        validation = Validation(plan, streams) if validates and held_out else None
        Trainer(plan, learner, training_batches(plan, streams, first_step), validation, log, first_step).run()


def _summary(plan: TrainPlan, storage: str, first_step: int) -> str:
    """The first line of the log."""
    every, trained = list(plan.policy.parameters()), trained_parameters(plan.policy).values()
    count, changing = (sum(parameter.numel() for parameter in each) / 1e6 for each in (every, trained))
    parameters = f"{count:.1f} M parameters" + (f", {changing:.1f} M trained," if len(trained) < len(every) else "")
    training, held_out = (sum(len(getattr(each, part)) for each in plan.data) for part in ("training", "held_out"))
    inputs = [plan.policy.inputs_for(each.embodiment) for each in plan.data]
    cameras = ", ".join(dict.fromkeys(camera for each in inputs for camera in each.cameras)) or "no camera"
    embodiments = f", {len(plan.data)} embodiments" if len(plan.data) > 1 else ""
    tasks = f", {len(plan.policy.instructions)} tasks by instruction" if plan.policy.instructions else ""
    resumed = f", resumed from step {first_step}" if first_step else ""
    return (
        f"{plan.config.policy}: {parameters} on {plan.device} in {plan.config.precision}, {training} "
        f"training episodes, {held_out} held out, {cameras}{embodiments}{tasks}, {storage}; written to "
        f"{plan.run}{resumed}"
    )
