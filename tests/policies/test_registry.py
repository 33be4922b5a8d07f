"""Tests of every registered policy, and of the example of CONTRIBUTING.md."""

import dataclasses
import importlib.util
import inspect
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from history_policy import RememberingAgent
from synthetic_dataset import read_table, write_dataset
from toy_policy import observation

from ambidex.lookup import resolve
from ambidex.policies import registry
from ambidex.policies.checkpoint import load, policy_class
from ambidex.policies.data.batches import SampleGatherer
from ambidex.policies.policy import Policy
from ambidex.policies.serving.execution import Execution
from ambidex.policies.serving.local import executing_agent
from ambidex.policies.train_policy import train_config
from ambidex.policies.training.plan import statistics_of
from ambidex.policies.training.train import train

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "toy_policy.py"
NAMES = [*registry.POLICIES, "mlp"]
MAX_EXAMPLE = 80  # [lines]


@pytest.fixture(scope="module", autouse=True)
def example():
    """Registers the example as CONTRIBUTING.md says, except for its folder."""
    spec = importlib.util.spec_from_file_location("toy_policy_example", EXAMPLE)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    registry.POLICIES["mlp"] = f"{spec.name}:MlpPolicy"
    registry.PRESETS["mlp"] = f"{spec.name}:preset"
    yield
    del registry.POLICIES["mlp"], registry.PRESETS["mlp"], sys.modules[spec.name]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A dataset with states and images that are small, but large enough for every backbone."""
    return write_dataset(tmp_path_factory.mktemp("data"), image_size=(48, 64), cameras=("top",))


def tiny_model(name, observations=None):
    """The policy's settings of the smallest preset, with a window that fits into the episodes of the data."""
    model = train_config(name, "tiny", observations).model
    return dataclasses.replace(model, stride=1) if hasattr(model, "stride") else model


def make(name, data, observations=None, seed=0):
    """The policy of the smallest preset, and a batch for it."""
    torch.manual_seed(seed)
    table = read_table((data,))
    config = tiny_model(name, observations)
    policy = policy_class(name)(config, table.spec, statistics_of(table, table.rows([0, 1, 2])))
    gatherer = SampleGatherer(table, policy.inputs, policy.chunk_size, torch.device("cpu"))
    rows = table.rows([0, 1, 2, 3])[[0, 3, 9, 13]]
    images = torch.randint(256, (*gatherer.windows(rows).shape, 3, 48, 64), dtype=torch.uint8)
    images = images.movedim(-3, -1).contiguous().movedim(-1, -3)
    return policy, gatherer.batch(rows, dict.fromkeys(policy.inputs.cameras, images))


def only_inputs(policy, observation):
    """As a client sends it: parts that the policy does not use are empty."""
    objects = observation.objects if policy.inputs.objects else observation.objects[..., :0]
    images = {camera: observation.images[camera] for camera in policy.inputs.cameras}
    instructions = observation.instructions if policy.inputs.instruction else ("",) * len(observation)
    return dataclasses.replace(
        observation, objects=objects, images=images, instructions=instructions, embodiment="", cached_features=None
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", ["tiny", "base", "paper"])
def test_presets_exist_and_fit_the_policy(name, preset):
    kind = resolve("policy", name, registry.POLICIES)
    assert issubclass(kind, Policy)
    assert kind.name == name
    assert not inspect.isabstract(kind)
    assert type(train_config(name, preset).model) is kind.config_type
    assert dataclasses.is_dataclass(kind.config_type)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name, data):
    policy, batch = make(name, data)
    if hasattr(getattr(policy, "config", None), "history_dropout"):  # else no window of the batch may keep its history
        policy.config = dataclasses.replace(policy.config, history_dropout=0.0)
    terms = policy.train().losses(batch)
    assert all(term.shape == () and torch.isfinite(term) for term in terms.values())
    terms["loss"].backward()
    assert not [n for n, p in policy.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_chunks_and_depend_on_the_inputs_only(name, data):
    policy, batch = make(name, data)
    chunk = policy.eval().predict(only_inputs(policy, batch.observation))
    assert chunk.shape == (4, policy.chunk_size, len(policy.spec.action_names))
    assert chunk.dtype == torch.float32
    assert not chunk.requires_grad
    assert torch.equal(chunk, policy.predict(batch.observation))


def test_with_a_history_agents_see_the_windows_of_their_episode_bit_for_bit(data):
    checked = []
    for name in NAMES:
        policy, _ = make(name, data)
        if policy.eval().inputs.history > 1:
            checked.append(name)
            agents = executing_agent(policy, Execution(mode="chunk", steps=2)), RememberingAgent(policy, "chunk", 2)
            for episode, steps in ((0, 3), (1, 2 * policy.inputs.offsets[0] + 3)):
                actions = [acted(agent, policy, episode, steps) for agent in agents]
                assert np.array_equal(*actions) and np.ptp(actions[0], axis=0).max() > 0
    assert checked


def acted(agent, policy, episode, steps):
    """The actions of an agent for observations without a simulator, which are others in each episode and step."""
    instruction = policy.spec.instruction
    seen = [
        observation(100 * episode + t, instruction=instruction, render=partial(image, policy, 100 * episode + t))
        for t in range(steps)
    ]
    agent.reset(seen[0], episode)
    return np.array([agent.act(each) for each in seen])


def image(policy, seed, state, camera):
    return np.random.default_rng(seed).integers(0, 256, (*policy.spec.image_size, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_a_short_training_can_be_loaded(name, data, tmp_path):
    settings = {"data": (data,), "output_dir": tmp_path / "run", "steps": 3, "batch_size": 4, "quiet": True}
    config = dataclasses.replace(train_config(name, "tiny"), **settings, device="cpu", precision="fp32")
    config = dataclasses.replace(config, model=tiny_model(name))
    policy = load(train(config))
    again = load(tmp_path / "run" / "checkpoints" / "3")
    _, batch = make(name, data)
    assert policy.name == name
    assert torch.equal(policy.predict(batch.observation), again.predict(batch.observation))
    assert torch.isfinite(policy.predict(batch.observation)).all()


def test_the_example_is_short_and_can_overfit_one_batch(data):
    assert len(EXAMPLE.read_text().splitlines()) < MAX_EXAMPLE
    policy, batch = make("mlp", data)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-3)
    first = policy.losses(batch)["loss"].item()
    for _ in range(100):
        optimizer.zero_grad()
        policy.losses(batch)["loss"].backward()
        optimizer.step()
    assert policy.losses(batch)["loss"].item() < 0.1 * first
