from bad_start import spoil
from recording_fakes import SMALL, FakeAgent, contents, record_to

from ambidex.benchmarks.gallery.sources import read_dataset
from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Outcome
from ambidex.errors import SimulationError
from ambidex.recorders.dataset.dataset import read, read_attempts


class SpoiltAgent(FakeAgent):
    def __init__(self, env):
        super().__init__(env)
        spoil(env, 3)


def test_a_seed_that_cannot_begin_is_listed_and_not_kept(tmp_path):
    (summary,) = record_to(tmp_path, agent=SpoiltAgent, workers=0, keep_failures=True, video="all")
    assert summary.complete and len(read(tmp_path)) == 4
    rows = read_attempts(tmp_path)
    assert [row.seed for row in rows] == list(range(10))
    bad = rows[3]
    assert (bad.outcome, bad.steps, bad.stage, bad.episode) == (Outcome.ERROR, 0, 0, None)
    assert bad.reason == "NoFreeSpotError: there is no room for the bowl"
    assert not (tmp_path / "failures" / "episode_3.hdf5").exists()
    shown = {episode.seed: episode for episode in read_dataset(tmp_path).episodes}[3]
    assert not shown.can_be_watched and shown.reason == bad.reason


def test_resume_goes_on_behind_it(tmp_path):
    record_to(tmp_path / "straight", agent=SpoiltAgent, workers=0)
    record_to(tmp_path / "parts", agent=SpoiltAgent, workers=0, num_episodes=1)
    record_to(tmp_path / "parts", agent=SpoiltAgent, workers=1, resume=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "straight")


def test_the_first_seed_may_be_the_bad_one(tmp_path):
    (summary,) = record_to(tmp_path, SMALL, SpoiltAgent, seed=3, num_episodes=1, workers=0)
    assert summary.complete and [row.outcome for row in read_attempts(tmp_path)] == ["error", "success"]


def test_a_world_that_flies_apart_at_the_start_is_an_outcome(monkeypatch):
    env = make("insertion", cameras=())
    monkeypatch.setattr(env, "reset", lambda seed: (_ for _ in ()).throw(SimulationError("unstable")))
    result = rollout(env, FakeAgent(env), 7)
    assert (result.outcome, result.reason, result.steps) == (Outcome.ERROR, "SimulationError: unstable", 0)
    assert not result.started and result.states.shape == (0, env.scene.state().size)
    assert result.qpos.shape == result.qvel.shape == (0, 14) and result.objects.shape == (0, 14)
    assert result.actions.shape == result.joint_actions.shape == (0, 14) and result.stages.shape == (0,)
