import pytest
from act_samples import CAMERAS, losses, make_batch, make_policy, open_gates

CONFIGURATIONS = {
    "state": {"observations": "state"},
    "images": {"cameras": ("top",)},
    "several cameras": {"cameras": CAMERAS},
    "frozen batch norm": {"cameras": ("top",), "backbone_norm": "frozen"},
    "group norm": {"cameras": ("top",), "backbone_norm": "group"},
    "pooled": {"cameras": CAMERAS, "camera_tokens": "pooled"},
    "camera attention": {"cameras": CAMERAS, "camera_attention": True},
    "three decoder layers": {"observations": "state", "decoder_layers": 3},
    "one CVAE layer": {"observations": "state", "cvae_layers": 1},
    "padding loss": {"observations": "state", "padding_weight": 0.1},
}


def without_gradient(policy):
    return {
        name
        for name, parameter in policy.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    }


@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_parameter_gets_a_gradient(changes):
    policy = make_policy(**changes)
    open_gates(policy)
    losses(policy, make_batch())["loss"].backward()
    assert not without_gradient(policy)


def test_behind_closed_gates_only_the_gates_have_a_gradient():
    policy = make_policy(cameras=CAMERAS, camera_attention=True)
    losses(policy, make_batch())["loss"].backward()
    pairs = {name for name, _ in policy.named_parameters() if ".pairs." in name}
    assert without_gradient(policy) == {name for name in pairs if not name.endswith(".gate")}


@pytest.mark.parametrize("norm", ["frozen", "group", "layer"])
def test_backbone_parameters_are_those_of_resnet(norm):
    policy = make_policy(backbone_norm=norm)
    of_backbone = {id(parameter) for parameter in policy.backbone_parameters()}
    named = {name for name, parameter in policy.named_parameters() if id(parameter) in of_backbone}
    assert named == {name for name, _ in policy.named_parameters() if ".backbone." in name}
    assert named


def test_object_poses_need_no_backbone():
    assert not make_policy(observations="state").backbone_parameters()
