"""ACT with several tasks: the instruction says which, and unknown instructions are refused."""

import dataclasses

import numpy as np
import pytest
import torch
from act_samples import CHUNK, JOINTS, SMALL, losses, make_batch, make_observation, make_policy
from synthetic_dataset import STATES, read_table, write_dataset
from synthetic_episode import make_spec

from ambidex.codec import from_json, to_json
from ambidex.errors import UsageError
from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.checkpoint import load
from ambidex.policies.compatibility import check_compatible
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.server import describe
from ambidex.policies.train_policy import train_config
from ambidex.policies.training.setup import with_instructions
from ambidex.policies.training.train import train

TASKS = ("insert", "open the drawer", "turn on the stove")
CPU = torch.device("cpu")


def policy_of(**changes):
    return make_policy(observations="state", instructions=TASKS, **changes)


def observation(*instructions):
    """The same observation with each instruction."""
    one = make_observation(1, cameras=())
    count = len(instructions)
    return dataclasses.replace(
        one, qpos=one.qpos.repeat(count, 1), objects=one.objects.repeat(count, 1), instructions=instructions
    )


def test_predictions_depend_on_the_instruction():
    chunks = policy_of().eval().predict(observation("insert", "open the drawer", "insert"))
    assert torch.equal(chunks[0], chunks[2]) and not torch.allclose(chunks[0], chunks[1])


def test_a_policy_of_one_task_has_no_task_embedding():
    one, several = make_policy(observations="state"), policy_of()
    extra = set(several.state_dict()) - set(one.state_dict())
    assert extra == {"model.tasks.weight"} and not one.inputs.instruction and several.inputs.instruction


def test_unknown_instructions_are_refused_with_the_known_ones():
    with pytest.raises(UsageError) as caught:
        policy_of().eval().predict(observation("insert", "fly"))
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == ("fly", TASKS)


def test_the_embedding_of_every_task_gets_a_gradient():
    policy, batch = policy_of(), make_batch(3, cameras=())
    batch = dataclasses.replace(batch, observation=dataclasses.replace(batch.observation, instructions=TASKS))
    losses(policy, batch)["loss"].backward()
    assert (policy.model.tasks.weight.grad.abs().sum(1) > 0).all()


def test_the_server_tells_the_instructions_and_other_tasks_are_incompatible():
    policy = policy_of().eval()
    assert describe(policy).instructions == TASKS
    assert FixedBatch(policy, CPU, 2).is_repeatable()
    spec = make_spec(instruction="turn on the stove")
    check_compatible(spec, spec, instructions=TASKS)
    with pytest.raises(UsageError) as caught:
        check_compatible(spec, make_spec(instruction="fly"), instructions=TASKS)
    assert caught.value.facts["fields"] == ("instruction",)


def test_settings_of_version_0_1_may_lack_instructions():
    values = to_json(ActConfig(**SMALL))
    del values["instructions"]
    assert from_json(ActConfig, values) == ActConfig(**SMALL)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Two datasets of different tasks and spreads, with the same cameras and objects."""
    root = tmp_path_factory.mktemp("tasks")
    return [
        write_dataset(root / f"{i}", instruction=words, spread=spread, task=task, **STATES)
        for i, (words, spread, task) in enumerate(
            [("insert", "published", "insertion"), ("open the drawer", "wide", "transfer_cube")]
        )
    ]


def config_for(datasets, run, **model):
    config = train_config("act", "tiny", "state")
    sizes = {**SMALL, "observations": "state", **model}
    return dataclasses.replace(
        settings_of(run), policy="act", data=tuple(datasets), model=dataclasses.replace(config.model, **sizes)
    )


def settings_of(run):
    config = train_config("act", "tiny", "state")
    return dataclasses.replace(
        config, output_dir=run, steps=3, batch_size=4, warmup_steps=1, save_every=3, quiet=False, device="cpu"
    )


@pytest.mark.usefixtures("one_thread")
def test_several_datasets_train_a_policy_with_their_instructions(datasets, tmp_path, capsys):
    run = train(config_for(datasets, tmp_path / "run"))
    printed = capsys.readouterr().err
    assert "2 tasks by instruction" in printed
    assert "differ in spread" in printed and "has published" in printed and "has wide" in printed
    policy = load(run).eval()
    assert isinstance(policy, ActPolicy) and policy.instructions == ("insert", "open the drawer")
    chunk = policy.predict(observation("open the drawer"))
    assert chunk.shape == (1, CHUNK, JOINTS) and np.isfinite(chunk.numpy()).all()
    again = dataclasses.replace(config_for(datasets, run), resume=True, model=policy.config)
    assert train(again) == run


def test_one_task_needs_no_instructions(datasets, tmp_path):
    table = read_table(datasets[:1])
    config = config_for(datasets[:1], tmp_path)
    assert with_instructions(config, [table]) == config


def test_data_with_other_instructions_is_refused(datasets, tmp_path):
    with pytest.raises(UsageError) as caught:
        with_instructions(config_for(datasets, tmp_path, instructions=("insert",)), [read_table(datasets)])
    assert caught.value.facts["got"] == ("insert",) and "open the drawer" in caught.value.facts["expected"]


def test_a_folder_with_other_files_is_refused(datasets, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty"):
        train(config_for(datasets, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_weights_for_other_instructions_are_refused():
    other = make_policy(observations="state", instructions=(*TASKS[:-1], "something else"))
    with pytest.raises(UsageError) as caught:
        other.init_from(policy_of())
    assert caught.value.facts["fields"] == ("instructions",)
