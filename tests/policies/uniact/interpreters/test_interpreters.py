import dataclasses

import numpy as np
import pytest
import torch
from uniact_samples import CHUNK, make_config

from ambidex.envs.env import make
from ambidex.envs.registry import FAMILIES
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.uniact.interpreters.act_interpreter import ActInterpreter
from ambidex.policies.uniact.interpreters.interpreter import InterpreterSizes
from ambidex.policies.uniact.interpreters.mlp_interpreter import MlpInterpreter
from ambidex.policies.uniact.interpreters.registry import INTERPRETERS, make_interpreter
from ambidex.policies.uniact.losses import masked_huber
from ambidex.policies.uniact.model import CameraFeatures
from ambidex.policies.uniact.policy import UniActPolicy

SMALL = InterpreterSizes(
    views=2,
    channels=16,
    code_width=6,
    proprio=9,
    actions=7,
    chunk=5,
    d_model=32,
    heads=4,
    feedforward=48,
    encoder_layers=2,
    decoder_layers=2,
)
PUBLISHED = dataclasses.replace(
    SMALL, channels=512, code_width=128, chunk=4, d_model=512, heads=8, feedforward=2048, encoder_layers=4
)


def parameters(kind, sizes):
    with torch.device("meta"):
        return sum(p.numel() for p in kind(sizes).parameters())


def inputs(sizes=SMALL, count=3, seed=0):
    torch.manual_seed(seed)
    features = torch.randn(count, sizes.views, sizes.channels, 2, 3)
    return features, torch.randn(count, sizes.code_width), torch.randn(count, sizes.proprio)


def test_the_mlp_has_the_published_size():
    assert parameters(MlpInterpreter, PUBLISHED) == 74_956


def test_the_transformer_has_nearly_the_published_size():
    assert parameters(ActInterpreter, PUBLISHED) == pytest.approx(21.1e6, rel=0.06)


@pytest.mark.parametrize("name", ["auto", "ACT_2RGB_7DoFs_9Proprio"])
def test_every_input_matters_and_every_parameter_gets_a_gradient(name):
    torch.manual_seed(1)
    interpreter = make_interpreter(name, SMALL)
    tensors = [value.requires_grad_() for value in inputs()]
    chunk = interpreter(*tensors)
    assert chunk.shape == (3, 5, 7) and chunk.dtype == torch.float32
    chunk.square().sum().backward()
    assert all((value.grad.flatten(1).abs().sum(1) > 0).all() for value in tensors)
    assert not [n for n, p in interpreter.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_the_mlp_uses_one_camera_and_no_proprioception():
    sizes = dataclasses.replace(SMALL, views=1)
    interpreter = make_interpreter("MLP_1RGB_7DoFs_4FutureAction", sizes)
    features, universal, proprio = inputs(sizes)
    chunk = interpreter(features, universal, proprio)
    assert chunk.shape == (3, 5, 7) and torch.equal(chunk, interpreter(features, universal, proprio + 1))
    chunk.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in interpreter.parameters())


def test_queries_and_keys_get_gradients():
    interpreter = ActInterpreter(SMALL)
    interpreter(*inputs()).square().sum().backward()
    d = SMALL.d_model
    for layer in (*interpreter.encoder, *interpreter.decoder):
        attention = layer.attention or layer.cross_attention
        assert (attention.in_weight.grad.view(3, d, d).abs().sum((1, 2)) > 0).all()


def test_the_order_of_cameras_matters():
    torch.manual_seed(0)
    interpreter = ActInterpreter(SMALL)
    features, universal, proprio = inputs()
    assert not torch.allclose(
        interpreter(features, universal, proprio), interpreter(features.flip(1), universal, proprio)
    )


@pytest.mark.parametrize("name", INTERPRETERS)
def test_a_registered_interpreter_supports_any_chunk_size(name):
    kind = INTERPRETERS[name]
    sizes = dataclasses.replace(SMALL, views=kind.views, actions=kind.actions, proprio=kind.proprio or 3, chunk=50)
    assert make_interpreter(name, sizes)(*inputs(sizes)).shape == (3, 50, kind.actions)


def test_data_of_other_sizes_is_refused():
    with pytest.raises(UsageError) as caught:
        make_interpreter("ACT_3RGB_14DoFs_14Proprio", SMALL)
    expected = {"cameras": (2, 3), "action dimensions": (7, 14), "joint positions": (9, 14)}
    assert caught.value.facts["differences"] == expected
    with pytest.raises(UnknownNameError, match="Did you mean 'ACT_3RGB_14DoFs_14Proprio'"):
        make_interpreter("ACT_3RGB_14DoFs_16Proprio", SMALL)


def test_one_backbone_is_used_for_all_cameras():
    torch.manual_seed(0)
    features = CameraFeatures(8, "group")
    images = {name: torch.randint(256, (2, 3, 48, 64), dtype=torch.uint8) for name in "ab"}
    both = features(images, ("a", "b"))
    assert both.shape == (2, 2, 64, 2, 2)
    assert torch.allclose(both.flip(1), features(images, ("b", "a")), atol=1e-5)
    assert torch.allclose(both[:, :1], features(images, ("a",)), atol=1e-5)


def test_the_loss_is_hubers_without_padding():
    predicted, actions = torch.zeros(2, 2, 1), torch.tensor([[[0.05], [0.3]], [[-1.0], [1e6]]])
    is_pad = torch.tensor([[False, False], [False, True]])
    expected = (0.05**2 / 2 + 0.1 * (0.3 - 0.05) + 0.1 * (1.0 - 0.05)) / 3
    assert masked_huber(predicted, actions, is_pad, 0.1).item() == pytest.approx(expected)


def test_the_loss_of_padding_alone_is_zero():
    ones = torch.ones(1, 2, 3)
    assert masked_huber(ones, 0 * ones, torch.ones(1, 2, dtype=torch.bool), 0.1).item() == 0


def test_actions_of_zeros_are_not_padding():
    zeros = torch.zeros(1, 1, 2)
    assert masked_huber(zeros + 1, zeros, torch.zeros(1, 1, dtype=torch.bool), 0.1).item() == pytest.approx(0.095)


TASKS = {"aloha": "transfer_cube", "libero": "libero_goal/1"}
SIZE = (48, 64)
BATCH = 2


def spec_of(family):
    """The spec of a task of the family, with all its cameras."""
    env = make(TASKS[family], cameras=FAMILIES[family].cameras, image_size=SIZE)
    env.close()
    return env.spec


def statistics_of(spec):
    rng = np.random.default_rng(0)
    sizes = (len(spec.joint_names), 7 * len(spec.object_names), len(spec.action_names))
    qpos, objects, actions = (FieldStatistics.of(rng.normal(size=(20, n)).astype(np.float32)) for n in sizes)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def batch_of(spec):
    observation = ObservationBatch(
        qpos=torch.randn(BATCH, len(spec.joint_names)),
        objects=torch.zeros(BATCH, 7 * len(spec.object_names)),
        images={name: torch.randint(256, (BATCH, 3, *SIZE), dtype=torch.uint8) for name in spec.cameras},
        instructions=(spec.instruction,) * BATCH,
    )
    actions = torch.randn(BATCH, CHUNK, len(spec.action_names))
    return TrainingBatch(observation=observation, actions=actions, is_pad=torch.zeros(BATCH, CHUNK, dtype=torch.bool))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_registered_interpreter_that_can_be_trained(family):
    spec = spec_of(family)
    sizes = (len(FAMILIES[family].cameras), len(spec.action_names), len(spec.joint_names))
    (name,) = (name for name, kind in INTERPRETERS.items() if (kind.views, kind.actions, kind.proprio) == sizes)
    torch.manual_seed(0)
    policy, batch = UniActPolicy(make_config(interpreter=name), spec, statistics_of(spec)).train(), batch_of(spec)
    before = {key: value.clone() for key, value in policy.named_parameters() if ".interpreter." in key}
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-3)
    policy.losses(batch)["loss"].backward()
    optimizer.step()
    after = dict(policy.named_parameters())
    assert before and not [key for key, value in before.items() if torch.equal(value, after[key])]
    assert policy.eval().predict(batch.observation).shape == (BATCH, CHUNK, len(spec.action_names))


def test_the_published_interpreter_of_the_panda_does_not_fit():
    """The published state has nine numbers, ours eight."""
    spec = spec_of("libero")
    with pytest.raises(UsageError) as caught:
        UniActPolicy(make_config(interpreter="ACT_2RGB_7DoFs_9Proprio"), spec, statistics_of(spec))
    assert caught.value.facts["differences"] == {"joint positions": (8, 9)}
