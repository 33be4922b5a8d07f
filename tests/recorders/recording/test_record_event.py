"""`record-episodes --perturb event`: images, actions and the step of the event, verified and rendered again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_fakes import SMALL, FakeAgent, contents, record_to

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.registry import EVENT, event_step
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.aloha.insertion import Insertion
from ambidex.envs.types import Float32Array, ImageArray, Observation
from ambidex.errors import UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.render import render
from ambidex.recorders.verification.verify import verify

TWO = replace(SMALL, cameras=("top", "left_wrist"), workers=0)
REACHED = 5  # the step at which all stages but the last are reached
SEEDS = {"background": 1, "sensor": 21, "dynamics": 14, "action_delay": 16}


@pytest.fixture(autouse=True)
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Insertion, "stage", lambda self, scene: 3 * (_step(scene) == REACHED))


def _step(scene: Scene) -> int:
    return round(scene.data.time * 50)


class SeeingAgent(FakeAgent):
    """Keeps the images that it gets."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.seen: list[dict[str, ImageArray]] = []

    def act(self, observation: Observation) -> Float32Array:
        self.seen.append(observation.images())
        return np.asarray(super().act(observation))


@pytest.mark.parametrize("axis", SEEDS)
def test_an_event_is_stored_verified_and_rendered_again(axis: str, tmp_path: Path) -> None:
    seed, data = SEEDS[axis], tmp_path / "data"
    record_to(data, TWO, num_episodes=1, seed=seed, perturb=(EVENT,))
    with make("insertion", cameras=TWO.cameras, image_size=TWO.image_size, perturb=EVENT) as env:
        agent = SeeingAgent(env)
        result = rollout(env, agent, seed)
    stored = Dataset(data)[0]
    episode = stored.episode
    assert episode.perturbed == result.perturbed
    assert (episode.seed, episode.perturbed[EVENT]["axis"], event_step(episode.perturbed)) == (seed, axis, REACHED)
    assert episode.states.tobytes() == result.states.tobytes()
    assert episode.joint_actions.tobytes() == result.actions.tobytes()
    for t, images in enumerate(agent.seen):
        assert all(np.array_equal(stored.frame(camera, t), image) for camera, image in images.items()), t
    ((_, verified),) = verify(data, workers=0)
    assert verified.states.same
    assert verified.draws == ()
    render(RenderConfig(path=data, output_dir=tmp_path / "again", quiet=True, workers=0))
    again = contents(tmp_path / "again")
    assert {name for name, content in contents(data).items() if again[name] != content} == {"info"}


def test_an_event_at_another_step_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_to(tmp_path, TWO, num_episodes=1, seed=SEEDS["sensor"], perturb=(EVENT,))
    monkeypatch.setattr(Insertion, "stage", lambda self, scene: 3 * (_step(scene) == REACHED + 1))
    ((_, verified),) = verify(tmp_path, workers=0)
    assert verified.states.same
    assert "event of perturbed was" in verified.draws[0]


def test_other_images_of_an_episode_with_an_event_are_refused(tmp_path: Path) -> None:
    record_to(tmp_path / "data", TWO, num_episodes=1, perturb=(EVENT,))
    for axes in ((), ("light",)):
        config = RenderConfig(path=tmp_path / "data", output_dir=tmp_path / "x", perturb=axes, quiet=True, workers=0)
        with pytest.raises(UsageError, match="was recorded with event"):
            render(config)
        assert not (tmp_path / "x").exists()
