"""The timing of UniAct's forward pass."""

import torch

from ambidex.benchmarks.forward_speed import ForwardSpeedConfig, make_observation, make_policy, timed_passes


def test_every_pass_is_timed_and_gives_a_chunk():
    policy, seen = make_policy("tiny", "sdpa").eval(), make_observation(2, torch.device("cpu"))
    assert policy.predict(seen).shape == (2, 50, 14)
    seconds = timed_passes(policy, seen, ForwardSpeedConfig(passes=2))
    assert len(seconds) == 2 and min(seconds) > 0
