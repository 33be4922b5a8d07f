import numpy as np
import pytest

from ambidex.policies.data.split import Mixture, Sampler, split


@pytest.mark.parametrize("episodes", [1, 2, 10, 50])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.9])
def test_a_split_is_a_partition_that_depends_on_the_seed(episodes, fraction):
    training, held_out = split(episodes, fraction, 0)
    assert sorted((*training, *held_out)) == list(range(episodes))
    assert training
    assert bool(held_out) == (fraction > 0 and episodes > 1)
    assert split(episodes, fraction, 0) == (training, held_out)
    if episodes == 50 and fraction == 0.1:
        assert len(held_out) == 5
        assert split(episodes, fraction, 1) != (training, held_out)


def test_each_epoch_has_every_row_once_in_another_order():
    rows = np.arange(100, 130)
    sampler = Sampler(rows, 7, seed=3)
    stream = np.concatenate([sampler.rows(step) for step in range(30)])  # 210 rows, 7 epochs
    epochs = stream.reshape(7, 30)
    assert all(sorted(epoch) == rows.tolist() for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 7
    assert not np.array_equal(Sampler(rows, 7, seed=4).rows(0), sampler.rows(0))


def test_the_rows_of_a_step_need_no_earlier_step_even_if_the_batch_exceeds_the_data():
    rows = np.arange(5)
    all_steps = list(Sampler(rows, 12, seed=0).steps(0, 4))
    assert np.array_equal(Sampler(rows, 12, seed=0).rows(3), all_steps[3])


def test_ranks_together_see_the_rows_of_one_process():
    rows = np.arange(37)
    one = Sampler(rows, 8, seed=1)
    parts = [Sampler(rows, 4, seed=1, rank=rank, ranks=2) for rank in range(2)]
    for step in range(12):
        assert np.array_equal(one.rows(step), np.concatenate([part.rows(step) for part in parts]))


def test_a_mixture_follows_its_weights_and_does_not_depend_on_the_number_of_steps():
    one, longer = Mixture((1, 3), seed=5, steps=4000), Mixture((1, 3), seed=5, steps=6000)
    assert np.array_equal(one.embodiments, longer.embodiments[:4000])
    assert one.count(0) + one.count(1) == 4000 and one.count(1) == pytest.approx(3000, abs=100)
    assert one.count(1, before=10) == int(one.embodiments[:10].sum())
    assert not np.array_equal(one.embodiments, Mixture((1, 3), seed=6, steps=4000).embodiments)


def test_a_mixture_of_one_embodiment_always_draws_it():
    assert not Mixture((2.0,), seed=0, steps=9).embodiments.any()
