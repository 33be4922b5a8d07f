"""Gradient checkpointing: the same losses and gradients with less memory."""

from dataclasses import replace

import pytest
import torch
from layered_learner import LayeredLearner
from synthetic_dataset import read_table
from toy_learner import ToyConfig, ToyLearner
from training_runs import curves, same_tensors, settings, tensors

from ambidex.errors import UsageError
from ambidex.policies.act.config import preset as act_preset
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.data.batches import SampleGatherer
from ambidex.policies.robovlms.config import preset as robovlms_preset
from ambidex.policies.robovlms.policy import RoboVlmsPolicy
from ambidex.policies.training.large_models.layers import checkpoint_layers, transformer_layers
from ambidex.policies.training.plan import statistics_of
from ambidex.policies.training.train import train
from ambidex.policies.uniact.config import preset as uniact_preset
from ambidex.policies.uniact.policy import UniActPolicy

pytestmark = pytest.mark.usefixtures("layered", "one_thread")
POLICIES = {
    "layered": (LayeredLearner, ToyConfig(observations="images", dropout=0.3)),
    "act": (ActPolicy, act_preset("tiny", "images").config),
    "uniact": (UniActPolicy, uniact_preset("tiny").config),
    "robovlms": (RoboVlmsPolicy, replace(robovlms_preset("tiny").config, history=2)),
}


def outcome(name, images, *, checkpointed, precision=torch.float32):
    """Losses, gradients, and the bytes kept for the backward pass."""
    kind, config = POLICIES[name]
    table = read_table([images])
    torch.manual_seed(0)
    policy = kind(config, table.spec, statistics_of(table, table.rows([0]))).train()
    if checkpointed:
        checkpoint_layers(policy)
    rows = table.rows([0])[:4]
    gatherer = SampleGatherer(table, policy.inputs, policy.chunk_size, torch.device("cpu"))
    frames = torch.randint(256, (*gatherer.windows(rows).shape, 3, *table.spec.image_size), dtype=torch.uint8)
    batch = gatherer.batch(rows, dict.fromkeys(policy.inputs.cameras, frames))
    kept = {}
    weights = {parameter.untyped_storage().data_ptr() for parameter in policy.parameters()}

    def count(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    torch.manual_seed(1)
    with (
        torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16),
    ):
        terms = policy.losses(batch)
    terms["loss"].backward()
    gradients = {each: value.grad for each, value in policy.named_parameters() if value.grad is not None}
    return terms, gradients, sum(kept.values())


@pytest.mark.parametrize("name", POLICIES)
def test_losses_and_gradients_stay_the_same_and_less_is_kept(name, images):
    losses, gradients, kept = outcome(name, images, checkpointed=False)
    again, same, less = outcome(name, images, checkpointed=True)
    assert all(torch.equal(losses[term], again[term]) for term in losses)
    assert gradients.keys() == same.keys()
    assert all(torch.equal(gradients[each], same[each]) for each in gradients)
    assert less < 0.9 * kept


def test_autocast_is_the_same_in_the_second_forward_pass(images):
    losses, gradients, _ = outcome("layered", images, checkpointed=False, precision=torch.bfloat16)
    again, same, _ = outcome("layered", images, checkpointed=True, precision=torch.bfloat16)
    assert torch.equal(losses["loss"], again["loss"])
    assert all(torch.equal(gradients[each], same[each]) for each in gradients)


def test_a_training_has_the_same_bits_and_can_be_resumed_either_way(states, tmp_path):
    plain = settings(states, tmp_path / "plain", policy="layered", steps=6)
    train(plain)
    train(settings(states, tmp_path / "checkpointed", policy="layered", steps=6, gradient_checkpointing=True))
    assert same_tensors(tensors(tmp_path / "plain", 6), tensors(tmp_path / "checkpointed", 6))
    found, expected = curves(tmp_path / "checkpointed"), curves(tmp_path / "plain")
    assert found["loss/loss"] == expected["loss/loss"] and found["validation/loss"] == expected["validation/loss"]
    train(settings(states, tmp_path / "plain", policy="layered", steps=6, gradient_checkpointing=True, resume=True))


def test_a_policy_without_layers_is_refused(states, tmp_path):
    with pytest.raises(UsageError, match="toy has no transformer layers") as caught:
        train(settings(states, tmp_path / "run", gradient_checkpointing=True))
    assert caught.value.facts == {"policy": "toy"}


def test_layers_of_transformers_are_found_without_being_named(states):
    transformers = pytest.importorskip("transformers")
    table = read_table([states])
    policy = ToyLearner(ToyConfig(), table.spec, statistics_of(table, table.rows([0])))
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2}
    policy.model = transformers.Qwen2Model(transformers.Qwen2Config(vocab_size=10, num_key_value_heads=2, **sizes))
    assert transformer_layers(policy, "--sharding fsdp") == list(policy.model.layers)
