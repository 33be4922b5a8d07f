"""One ACT for several tasks: it is told which, learns each, and refuses others."""

import dataclasses

import numpy as np
import pytest
import torch
from act_samples import CHUNK, JOINTS, SMALL, losses, make_batch, make_observation, make_policy
from synthetic_dataset import STATES, write_dataset
from synthetic_episode import make_spec

from ambidex.codec import from_json, to_json
from ambidex.errors import UsageError
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.checkpoint import load
from ambidex.policies.compatibility import check_compatible
from ambidex.policies.data.dataset import read_table
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.server import describe
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults
from ambidex.policies.training.setup import with_tasks

TASKS = ("insert", "open the drawer", "turn on the stove")
CPU = torch.device("cpu")


def policy_of(**changes):
    return make_policy(observations="state", instructions=TASKS, **changes)


def seen(*instructions):
    """The same sight, with these instructions."""
    one = make_observation(1, cameras=())
    count = len(instructions)
    return dataclasses.replace(
        one, qpos=one.qpos.repeat(count, 1), objects=one.objects.repeat(count, 1), instructions=instructions
    )


def test_the_instruction_decides():
    chunks = policy_of().eval().predict(seen("insert", "open the drawer", "insert"))
    assert torch.equal(chunks[0], chunks[2]) and not torch.allclose(chunks[0], chunks[1])


def test_a_policy_of_one_task_has_nothing_of_it():
    one, several = make_policy(observations="state"), policy_of()
    extra = set(several.state_dict()) - set(one.state_dict())
    assert extra == {"model.tasks.weight"} and not one.inputs.instruction and several.inputs.instruction


def test_other_instructions_are_refused_with_those_it_knows():
    with pytest.raises(UsageError, match=r"3 tasks, and 'fly' is none.*insert; open the drawer"):
        policy_of().eval().predict(seen("insert", "fly"))


def test_every_task_gets_a_gradient():
    policy, batch = policy_of(), make_batch(3, cameras=())
    batch = dataclasses.replace(batch, observation=dataclasses.replace(batch.observation, instructions=TASKS))
    losses(policy, batch)["loss"].backward()
    assert (policy.model.tasks.weight.grad.abs().sum(1) > 0).all()


def test_what_a_server_says_and_whom_it_refuses():
    policy = policy_of().eval()
    assert describe(policy).instructions == TASKS
    assert FixedBatch(policy, CPU, 2).is_repeatable()
    spec = make_spec(instruction="turn on the stove")
    check_compatible(spec, spec, instructions=TASKS)
    with pytest.raises(UsageError, match=r"instruction: the environment has 'fly'.*insert; open"):
        check_compatible(spec, make_spec(instruction="fly"), instructions=TASKS)


def test_settings_that_are_older_than_instructions_have_none():
    values = to_json(ActConfig(**SMALL))
    del values["instructions"]
    assert from_json(ActConfig, values) == ActConfig(**SMALL)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Two datasets of different tasks, the second of the other spread; the instruction alone tells them apart."""
    root = tmp_path_factory.mktemp("tasks")
    return [
        write_dataset(root / f"{i}", instruction=words, spread=spread, task=task, **STATES)
        for i, (words, spread, task) in enumerate(
            [("insert", "published", "insertion"), ("open the drawer", "wide", "transfer_cube")]
        )
    ]


def config_for(datasets, run, **model):
    config = defaults("act", "tiny", "state")
    sizes = {**SMALL, "observations": "state", **model}
    return dataclasses.replace(
        settings_of(run), policy="act", data=tuple(datasets), model=dataclasses.replace(config.model, **sizes)
    )


def settings_of(run):
    config = defaults("act", "tiny", "state")
    return dataclasses.replace(
        config, output_dir=run, steps=3, batch_size=4, warmup_steps=1, save_every=3, quiet=False, device="cpu"
    )


@pytest.mark.usefixtures("one_thread")
def test_several_datasets_make_a_policy_that_tells_them_apart(datasets, tmp_path, capsys):
    run = train(config_for(datasets, tmp_path / "run"))
    said = capsys.readouterr().err
    assert "2 tasks told apart" in said
    assert "differ in spread" in said and "has published" in said and "has wide" in said
    policy = load(run).eval()
    assert isinstance(policy, ActPolicy) and policy.instructions == ("insert", "open the drawer")
    chunk = policy.predict(seen("open the drawer"))
    assert chunk.shape == (1, CHUNK, JOINTS) and np.isfinite(chunk.numpy()).all()
    # Going on with the run needs no word about its tasks.
    stored = dataclasses.replace(policy.config)
    again = dataclasses.replace(config_for(datasets, run), steps=3, resume=True, model=stored)
    assert train(again) == run


def test_one_task_is_not_told_apart(datasets, tmp_path):
    table = read_table(datasets[:1])
    config = config_for(datasets[:1], tmp_path)
    assert with_tasks(config, [table]) == config


def test_instructions_of_other_data_are_refused(datasets, tmp_path):
    with pytest.raises(UsageError, match=r"names 1 tasks, and the data have others: open the drawer"):
        with_tasks(config_for(datasets, tmp_path, instructions=("insert",)), [read_table(datasets)])


def test_cameras_have_no_meaning_for_object_poses():
    with pytest.raises(UsageError, match=r"--cameras top has no meaning"):
        ActConfig(observations="state", cameras=("top",))


def test_a_folder_of_something_else_is_not_trained_into(datasets, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"is not empty: it holds thesis\.tex"):
        train(config_for(datasets, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
