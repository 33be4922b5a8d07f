import pytest
import torch

from ambidex.policies.act.transformer import Dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_share_is_dropped_and_the_rest_scaled_up(share, dtype):
    torch.manual_seed(0)
    out = Dropout(share)(torch.ones(501, 999, dtype=dtype)).float()
    dropped = round(share * 256) / 256
    assert (out == 0).float().mean().item() == pytest.approx(dropped, abs=0.003)
    assert out.unique().tolist() == [0.0, pytest.approx(1 / (1 - dropped), rel=0.01)]
    assert out.mean().item() == pytest.approx(1.0, abs=0.006)


def test_nothing_is_dropped_in_evaluation_or_without_a_share():
    x = torch.randn(10, 10)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_the_seed_decides_what_is_dropped():
    def drop(seed):
        torch.manual_seed(seed)
        return Dropout(0.5)(torch.ones(13, 7))

    assert torch.equal(drop(1), drop(1))
    assert not torch.equal(drop(1), drop(2))


def test_gradients_pass_where_activations_do():
    x = torch.randn(40, 40, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad * x, out)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = Dropout(0.5)(torch.ones(100_000, 8)) > 0
    agreement = (kept[:, :1] == kept[:, 1:]).float().mean(0)
    torch.testing.assert_close(agreement, torch.full((7,), 0.5), rtol=0, atol=0.01)
