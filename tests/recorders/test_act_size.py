import numpy as np
import pytest
from synthetic_episode import make_episode

from ambidex.envs.env import make
from ambidex.recorders.formats.act import EpisodeFile, write_episode

STEPS = 400
LARGEST = 20e6  # [B]


@pytest.mark.slow
def test_a_rendered_episode_is_small_and_exact(tmp_path):
    # Both arms swing through the view, so the pictures are as busy as those of a task.
    env = make("insertion", cameras=("top",), image_size=(480, 640))
    observation = env.reset(0)
    start, states = observation.qpos, [observation.state]
    for t in range(STEPS):
        swing = 0.4 * np.sin(t / 60 + np.arange(14)) - 0.4 * np.sin(np.arange(14))
        states.append(env.step((start + swing).astype(np.float32)).observation.state)
    episode = make_episode(steps=STEPS, spec=env.spec, states=np.array(states))
    path = tmp_path / "episode_0.hdf5"
    write_episode(path, episode, {"top": (env.render(state, "top") for state in states[:-1])}, "lossless")
    assert path.stat().st_size <= LARGEST
    with EpisodeFile(path) as file:
        for t in (0, 123, STEPS - 1):
            assert np.array_equal(file.frame("top", t), env.render(states[t], "top"))
