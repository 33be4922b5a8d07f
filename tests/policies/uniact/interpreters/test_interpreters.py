import dataclasses
import math

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


def test_the_transformer_has_the_published_size():
    assert parameters(ActInterpreter, PUBLISHED) == pytest.approx(21.1e6, rel=0.005)


def reference(weights, sizes, features, universal, proprio):
    """The published ACT interpreter, written out: its actions from the same weights."""

    def linear(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attention(name, x, memory):
        parts = zip(weights[f"{name}.in_proj_weight"].chunk(3), weights[f"{name}.in_proj_bias"].chunk(3), strict=True)
        projected = (y @ w.T + b for y, (w, b) in zip((x, memory, memory), parts, strict=True))
        q, k, v = (y.unflatten(-1, (sizes.heads, -1)).movedim(-2, -3) for y in projected)
        shares = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        return linear(f"{name}.out_proj", (shares @ v).movedim(-3, -2).flatten(-2))

    def feedforward(name, x):
        return linear(f"{name}.linear2", linear(f"{name}.linear1", x).clamp(min=0))

    def sinusoids(length):
        angles = [[p / 10_000 ** (i // 2 * 2 / sizes.d_model) for i in range(sizes.d_model)] for p in range(length)]
        return torch.tensor([[(math.cos if i % 2 else math.sin)(a) for i, a in enumerate(row)] for row in angles])

    cells = [features[:, v, :, i, j] for v in range(sizes.views) for i in range(2) for j in range(3)]
    x = torch.stack((*cells, linear("universal", universal), linear("proprio", proprio)), dim=1)
    x = x + sinusoids(x.shape[1])
    for i in range(sizes.encoder_layers):
        layer = f"transformer.encoder.layers.{i}"
        x = norm(f"{layer}.norm1", x + attention(f"{layer}.self_attn", x, x))
        x = norm(f"{layer}.norm2", x + feedforward(layer, x))
    memory = norm("transformer.encoder.norm", x)
    x = (weights["queries"] + sinusoids(sizes.chunk)).expand(len(memory), -1, -1)
    for i in range(sizes.decoder_layers):
        layer = f"transformer.decoder.layers.{i}"
        x = norm(f"{layer}.norm1", x + attention(f"{layer}.self_attn", x, x))
        x = norm(f"{layer}.norm2", x + attention(f"{layer}.multihead_attn", x, memory))
        x = norm(f"{layer}.norm3", x + feedforward(layer, x))
    return linear("head", norm("norm", norm("transformer.decoder.norm", x)))


@pytest.mark.parametrize("training", [True, False])
def test_the_transformer_computes_what_the_published_one_does(training):
    sizes = dataclasses.replace(SMALL, channels=SMALL.d_model)  # as many channels as the published one, no projection
    torch.manual_seed(2)
    interpreter = ActInterpreter(sizes).train(training)
    with torch.no_grad():
        for parameter in interpreter.parameters():  # norms, biases and queries start from constants
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
        expected = reference(interpreter.state_dict(), sizes, *inputs(sizes))
        assert torch.allclose(interpreter(*inputs(sizes)), expected, atol=1e-5, rtol=0)
    assert expected.std() > 0.1


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
    attentions = [m for m in interpreter.modules() if isinstance(m, torch.nn.MultiheadAttention)]
    assert len(attentions) == SMALL.encoder_layers + 2 * SMALL.decoder_layers
    for attention in attentions:
        assert (attention.in_proj_weight.grad.view(3, d, d).abs().sum((1, 2)) > 1e-3).all()


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
