import pytest
import torch
from act_samples import CAMERAS, losses, make_batch, make_config, make_observation, make_policy, open_gates

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.act.cameras import CameraRole, PooledTokens, RoleAttention, roles_of

DETAIL, CONTEXT, OVERVIEW = CameraRole


def without_attention(policy):
    """The pooled model with the same weights."""
    baseline = make_policy(camera_tokens="pooled", seed=7)
    state = policy.state_dict()
    baseline.load_state_dict({name: state[name] for name in baseline.state_dict()})
    return baseline


def test_with_closed_gates_the_model_is_the_pooled_one_bit_for_bit():
    policy, observation = make_policy(camera_attention=True), make_observation()
    baseline = without_attention(policy)
    assert torch.equal(policy.eval().predict(observation), baseline.eval().predict(observation))
    own, expected = losses(policy, make_batch()), losses(baseline, make_batch())
    assert all(torch.equal(own[name], expected[name]) for name in expected)


def test_open_gates_change_the_prediction():
    policy, observation = make_policy(camera_attention=True).eval(), make_observation()
    before = policy.predict(observation)
    open_gates(policy)
    assert not torch.allclose(policy.predict(observation), before)


def test_every_directed_pair_of_roles_has_its_own_weights():
    policy = make_policy(camera_attention=True)
    pairs = policy.model.cameras.tokens.attention.pairs
    names = {f"{a}_to_{b}" for a in CameraRole for b in CameraRole if a != b}
    assert set(pairs) == names
    assert len({id(parameter) for pair in pairs.values() for parameter in pair.parameters()}) == 9 * len(names)


def test_queries_and_keys_get_gradients_once_the_gate_is_open():
    policy = make_policy(camera_attention=True)
    open_gates(policy)
    losses(policy, make_batch())["loss"].backward()
    for pair in policy.model.cameras.tokens.attention.pairs.values():
        queries, keys, values = pair.attention.in_weight.grad.chunk(3)
        assert min(part.abs().max() for part in (queries, keys, values)) > 0


def test_attention_depends_on_the_query():
    torch.manual_seed(0)
    pair = RoleAttention(make_config()).eval()
    torch.nn.init.ones_(pair.gate)
    source, positions = torch.randn(1, 16, 32), torch.zeros(16, 32)
    attended = pair(torch.randn(1, 4, 32), torch.zeros(4, 32), source, positions)
    differences = (attended[:, :1] - attended[:, 1:]).abs().amax(-1)
    assert differences.min() > 1e-3


def test_a_training_step_opens_the_gates():
    policy = make_policy(camera_attention=True)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)
    losses(policy, make_batch())["loss"].backward()
    optimizer.step()
    gates = [parameter for name, parameter in policy.named_parameters() if name.endswith(".gate")]
    assert len(gates) == 6
    assert all(gate.abs() > 1e-4 for gate in gates)


@pytest.mark.parametrize("width", [4, 8, 12])
@pytest.mark.parametrize(
    "cameras", [("top",), ("left_wrist", "right_wrist"), ("top", "left_wrist", "right_wrist"), CAMERAS]
)
def test_any_number_of_cameras_and_any_backbone_width_work(cameras, width):
    policy = make_policy(cameras=cameras, camera_attention=True, backbone_width=width)
    open_gates(policy)
    observation = make_observation(2, cameras=cameras)
    assert torch.isfinite(policy.eval().predict(observation)).all()


@pytest.mark.parametrize(("cameras", "count"), [(("left_wrist",), 36), (("front_close",), 16), (("top",), 4)])
def test_each_role_has_its_number_of_tokens(cameras, count):
    tokens, positions = PooledTokens(make_config(), cameras)(torch.randn(1, 2, 32, 4, 5))
    assert tokens.shape == (2, count, 32)
    assert positions.shape == (count, 32)


def test_cameras_of_one_role_have_different_positions():
    _, positions = PooledTokens(make_config(), ("left_wrist", "right_wrist"))(torch.randn(2, 1, 32, 4, 5))
    assert not torch.allclose(positions[:36], positions[36:])


def test_known_cameras_have_roles():
    cameras = ("left_wrist", "right_wrist", "robot0_eye_in_hand", "front_close", "top", "angle", "agentview")
    expected = (DETAIL, DETAIL, DETAIL, CONTEXT, OVERVIEW, OVERVIEW, OVERVIEW)
    assert roles_of(cameras, ()) == expected


def test_roles_can_be_overridden():
    chosen = ("right_wrist=wrist_context", "my_camera=global_overview")
    assert roles_of(("left_wrist", "right_wrist", "my_camera"), chosen) == (DETAIL, CONTEXT, OVERVIEW)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'left_wrist'"):
        roles_of(("left_wirst",), ())
    with pytest.raises(UnknownNameError, match="wrist_detail"):
        roles_of(("top",), ("top=detail_wrist",))
    with pytest.raises(UsageError) as caught:
        roles_of(("top",), ("top",))
    assert caught.value.facts["got"] == "top"
