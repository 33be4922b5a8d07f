"""What the log says about codes."""

import numpy as np
import pytest

from ambidex.policies.uniact.code_usage import code_metrics


def test_two_robots_that_share_half_of_their_codes():
    groups = {"arm": {"lift": np.array([0, 1])}, "hand": {"lift": np.array([1]), "turn": np.array([2])}}
    figures = code_metrics(groups, 8)
    assert figures["dead"] == 5 and figures["perplexity"] == pytest.approx(2**1.5)
    assert figures["perplexity/arm"] == pytest.approx(2) == figures["perplexity/hand"]
    assert figures["jensen_shannon/arm and hand"] == pytest.approx(0.5)
    assert figures["jensen_shannon/hand/lift and turn"] == pytest.approx(1)
    assert len(figures) == 6


def test_one_robot_with_one_task_is_compared_with_nobody():
    assert code_metrics({"arm": {"lift": np.array([[3, 3]])}}, 4) == {"perplexity": 1, "dead": 3, "perplexity/arm": 1}
