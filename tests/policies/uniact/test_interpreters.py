import dataclasses

import pytest
import torch

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.uniact.interpreters.act_interpreter import ActInterpreter
from ambidex.policies.uniact.interpreters.interpreter import InterpreterSizes
from ambidex.policies.uniact.interpreters.mlp_interpreter import MlpInterpreter
from ambidex.policies.uniact.interpreters.registry import INTERPRETERS, make_interpreter
from ambidex.policies.uniact.losses import masked_huber
from ambidex.policies.uniact.model import CameraFeatures

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
def test_every_input_matters_and_every_parameter_learns(name):
    torch.manual_seed(1)
    interpreter = make_interpreter(name, SMALL)
    seen = [value.requires_grad_() for value in inputs()]
    chunk = interpreter(*seen)
    assert chunk.shape == (3, 5, 7) and chunk.dtype == torch.float32
    chunk.square().sum().backward()
    assert all((value.grad.flatten(1).abs().sum(1) > 0).all() for value in seen)
    assert not [n for n, p in interpreter.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_the_mlp_sees_one_camera_and_no_proprioception():
    sizes = dataclasses.replace(SMALL, views=1)
    interpreter = make_interpreter("MLP_1RGB_7DoFs_4FutureAction", sizes)
    features, universal, proprio = inputs(sizes)
    chunk = interpreter(features, universal, proprio)
    assert chunk.shape == (3, 5, 7) and torch.equal(chunk, interpreter(features, universal, proprio + 1))
    chunk.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in interpreter.parameters())


def test_queries_and_keys_learn():
    interpreter = ActInterpreter(SMALL)
    interpreter(*inputs()).square().sum().backward()
    d = SMALL.d_model
    for layer in (*interpreter.encoder, *interpreter.decoder):
        attention = layer.attention or layer.cross_attention
        assert (attention.in_weight.grad.view(3, d, d).abs().sum((1, 2)) > 0).all()


def test_cameras_are_told_apart():
    torch.manual_seed(0)
    interpreter = ActInterpreter(SMALL)
    features, universal, proprio = inputs()
    assert not torch.allclose(
        interpreter(features, universal, proprio), interpreter(features.flip(1), universal, proprio)
    )


@pytest.mark.parametrize("name", INTERPRETERS)
def test_a_registered_one_is_made_for_its_robot_in_any_chunk(name):
    kind = INTERPRETERS[name]
    sizes = dataclasses.replace(SMALL, views=kind.views, actions=kind.actions, proprio=kind.proprio or 3, chunk=50)
    assert make_interpreter(name, sizes)(*inputs(sizes)).shape == (3, 50, kind.actions)


def test_another_robot_is_refused():
    with pytest.raises(UsageError, match=r"have 2 cameras, it has 3; 7 action dimensions, it has 14; 9 joint"):
        make_interpreter("ACT_3RGB_14DoFs_14Proprio", SMALL)
    with pytest.raises(UnknownNameError, match="Did you mean 'ACT_3RGB_14DoFs_14Proprio'"):
        make_interpreter("ACT_3RGB_14DoFs_16Proprio", SMALL)


def test_one_backbone_sees_every_camera():
    torch.manual_seed(0)
    features = CameraFeatures(8, "group")
    images = {name: torch.randint(256, (2, 3, 48, 64), dtype=torch.uint8) for name in "ab"}
    both = features(images, ("a", "b"))
    assert both.shape == (2, 2, 64, 2, 2)
    assert torch.allclose(both.flip(1), features(images, ("b", "a")), atol=1e-5)
    assert torch.allclose(both[:, :1], features(images, ("a",)), atol=1e-5)


def test_the_loss_is_hubers_and_padding_has_no_part_in_it():
    predicted, actions = torch.zeros(2, 2, 1), torch.tensor([[[0.05], [0.3]], [[-1.0], [1e6]]])
    is_pad = torch.tensor([[False, False], [False, True]])
    expected = (0.05**2 / 2 + 0.1 * (0.3 - 0.05) + 0.1 * (1.0 - 0.05)) / 3
    assert masked_huber(predicted, actions, is_pad, 0.1).item() == pytest.approx(expected)


def test_a_batch_of_padding_alone_has_no_loss():
    ones = torch.ones(1, 2, 3)
    assert masked_huber(ones, 0 * ones, torch.ones(1, 2, dtype=torch.bool), 0.1).item() == 0


def test_rows_of_zeros_count():
    zeros = torch.zeros(1, 1, 2)
    assert masked_huber(zeros + 1, zeros, torch.zeros(1, 1, dtype=torch.bool), 0.1).item() == pytest.approx(0.095)
