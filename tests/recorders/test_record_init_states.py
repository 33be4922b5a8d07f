"""A recording from initial states goes on with the same states, wherever their file lies."""

import pytest
from goal_states import goal_states
from recording_fakes import STATES, record_to
from still_agent import StillAgent
from torch_file import write_states

from ambidex.errors import UsageError
from ambidex.recorders.dataset.dataset import read


@pytest.fixture
def rows():
    """Three initial states."""
    return goal_states(3)


def test_the_same_states_elsewhere_are_the_same_and_others_are_not(rows, tmp_path):
    data, here = tmp_path / "data", write_states(tmp_path / "goal.pruned_init", rows)
    changes = {"task": "libero_goal/1", "workers": 0, "format": "libero"}
    record_to(data, STATES, StillAgent, init_states=here, num_episodes=1, **changes)
    assert read(data).spec.init_states == str(here) and len(read(data).spec.init_states_sha256) == 64
    there = here.rename(tmp_path / "there.pruned_init")
    (summary,) = record_to(data, STATES, StillAgent, init_states=there, num_episodes=2, resume=True, **changes)
    assert summary.complete
    for other in (write_states(there, rows + 0.001), None):
        with pytest.raises(UsageError, match="recorded differently: init_states"):
            record_to(data, STATES, StillAgent, init_states=other, num_episodes=2, resume=True, **changes)
