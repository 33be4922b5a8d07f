"""`record-episodes --perturb`: what is stored of perturbed episodes, and which of a dataset are perturbed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from libero_recording import record_to as record_libero
from recording_fakes import SMALL, STATES, FakeAgent, contents, record_to

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.perturbation import is_perturbed
from ambidex.envs.perturbations.registry import axes_with_levels
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Float32Array, ImageArray, Observation, RolloutResult
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.layout import EpisodeFiles, WriteOptions
from ambidex.recorders.formats.act import write_episode
from ambidex.recorders.formats.registry import open_episode, read_episode
from ambidex.recorders.recording.worker import RecordWorker, WriteJob
from ambidex.recorders.rendering.config import ConvertConfig
from ambidex.recorders.rendering.render import convert
from ambidex.recorders.verification.verify import verify
from ambidex.recorders.verification.worker import replay

CAMERAS = ("top", "left_wrist")
KINDS: Mapping[str, tuple[str, ...]] = {
    "appearance": ("camera:3", "wrist_camera", "fov", "light:4"),
    "inputs": ("sensor:4", "lag:5"),
    "physics": ("robot_start", "action_delay:2", "action_noise", "dynamics:5"),
    "all": ("light", "sensor", "lag:4", "robot_start", "action_delay:1", "dynamics"),
}
TWO = replace(SMALL, cameras=CAMERAS, num_episodes=2, seed=1, workers=0)
SEEDS = (1, 4)  # of the two episodes


class SeeingAgent(FakeAgent):
    """Keeps the images that it gets."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.seen: list[dict[str, ImageArray]] = []

    def act(self, observation: Observation) -> Float32Array:
        self.seen.append(observation.images())
        return np.asarray(super().act(observation))


def seen_by_an_agent(seed: int, perturb: tuple[str, ...]) -> tuple[list[dict[str, ImageArray]], RolloutResult]:
    with make("insertion", cameras=CAMERAS, image_size=(24, 32), perturb=perturb) as env:
        agent = SeeingAgent(env)
        result = rollout(env, agent, seed)
        return agent.seen, result


@pytest.mark.parametrize("kind", KINDS)
def test_stored_images_states_actions_and_draws_are_those_of_the_perturbed_episode(kind: str, tmp_path: Path) -> None:
    record_to(tmp_path, TWO, perturb=KINDS[kind])
    rows = {row.seed: row for row in read_attempts(tmp_path)}
    for seed, stored in zip(SEEDS, Dataset(tmp_path), strict=True):
        seen, result = seen_by_an_agent(seed, KINDS[kind])
        episode = stored.episode
        assert (episode.seed, len(seen)) == (seed, stored.steps)
        for t, images in enumerate(seen):
            assert all(np.array_equal(stored.frame(camera, t), images[camera]) for camera in CAMERAS), t
        assert episode.states.tobytes() == result.states.tobytes()
        assert episode.joint_actions.tobytes() == result.actions.tobytes()
        assert episode.perturbed == result.perturbed == rows[seed].perturbed
        assert len(episode.perturbed) == len(episode.spec.perturb) == len(KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_perturbed_episode_is_replayed_with_its_perturbations(kind: str, tmp_path: Path) -> None:
    record_to(tmp_path, STATES if kind == "physics" else TWO, num_episodes=1, workers=0, perturb=KINDS[kind])
    ((_, result),) = verify(tmp_path, workers=0)
    assert result.states.same
    assert result.draws == ()
    with Dataset(tmp_path)[0] as stored:
        episode = stored.episode
        frames = {camera: stored.frames(camera) for camera in stored.cameras}
        axis = next(iter(episode.perturbed))
        changed = {axis: {**episode.perturbed[axis], "level": 9}}
        write_episode(
            tmp_path / "other.hdf5", replace(episode, perturbed={**episode.perturbed, **changed}), frames, "raw"
        )
    ((_, result),) = verify(tmp_path / "other.hdf5", ee=False, workers=0)
    assert not result.reproduces
    assert axis in result.draws[0]


def test_an_episode_is_rendered_with_its_own_draws_whatever_was_attempted_before(tmp_path: Path) -> None:
    axes = axes_with_levels(KINDS["all"])
    with make("insertion", cameras=CAMERAS, image_size=(24, 32), perturb=axes) as env:
        spec = env.spec
    worker = RecordWorker(spec, WriteOptions(format="act", storage="raw"), FakeAgent, tmp_path, renders=True)
    results = {seed: worker(seed) for seed in SEEDS}
    for seed, result in results.items():
        assert result is not None
        path = tmp_path / f"{seed}.hdf5"
        worker(WriteJob(result=result, files=EpisodeFiles(episode=path, video=None)))
        with open_episode(path) as stored:
            for t, images in enumerate(seen_by_an_agent(seed, axes)[0]):
                assert all(np.array_equal(stored.frame(camera, t), images[camera]) for camera in CAMERAS), t


def test_images_that_change_cost_no_second_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    step = Environment.step
    monkeypatch.setattr(Environment, "step", lambda self, action: (steps.append(1), step(self, action))[1])
    counts = []
    for axes in ((), ("camera", "sensor")):
        record_to(tmp_path / f"{len(axes)}", TWO, perturb=axes)
        counts.append(len(steps))
    assert counts[1] == 2 * counts[0] > 0
    one, other = (Dataset(tmp_path / name)[0].episode.states.tobytes() for name in ("0", "2"))
    assert one == other


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in which half of the episodes are perturbed."""
    directory = tmp_path_factory.mktemp("mixed") / "data"
    record_to(directory, workers=0, keep_failures=True, perturb=("light", "dynamics:1"), perturb_mix=0.5)
    return directory


def test_a_mix_has_the_files_of_the_clean_and_of_the_perturbed_dataset(mixed: Path, tmp_path: Path) -> None:
    for name, axes in (("clean", ()), ("perturbed", ("light", "dynamics:1"))):
        record_to(tmp_path / name, workers=0, keep_failures=True, perturb=axes)
    found, clean, perturbed = (contents(folder) for folder in (mixed, tmp_path / "clean", tmp_path / "perturbed"))
    chosen = {row["seed"]: is_perturbed(row["seed"], 0.5) for row in found["rows"]}
    assert set(chosen.values()) == {True, False}
    for row in found["rows"]:
        expected = perturbed if chosen[row["seed"]] else clean
        assert row == next(other for other in expected["rows"] if other["seed"] == row["seed"])
        names = [f"episode_{row['episode']}.hdf5", f"failures/episode_{row['seed']}.hdf5"]
        assert all(found[name] == expected[name] for name in names if name in found)
    assert found["info"]["env_spec"]["perturb"] == ["light:3", "dynamics:1"]


def test_a_mix_is_the_same_with_more_workers_and_when_resumed(mixed: Path, tmp_path: Path) -> None:
    flags = {"keep_failures": True, "perturb": ("light", "dynamics:1"), "perturb_mix": 0.5}
    record_to(tmp_path, workers=0, num_episodes=2, **flags)
    (tmp_path / "episode_0.hdf5").unlink()
    record_to(tmp_path, workers=2, resume=True, **flags)
    assert contents(tmp_path) == contents(mixed)
    for changes in ({"perturb": ("light",)}, {"perturb_mix": 0.6}, {"perturb": (), "perturb_mix": 1.0}):
        with pytest.raises(UsageError, match=f"--{next(iter(changes)).replace('_', '-')} was .*, now"):
            record_to(tmp_path, workers=0, resume=True, **{**flags, **changes})


def test_a_larger_share_perturbs_the_same_episodes_and_others() -> None:
    shares = [{seed for seed in range(400) if is_perturbed(seed, share)} for share in (0.0, 0.25, 0.5, 1.0)]
    assert [len(seeds) for seeds in (shares[0], shares[-1])] == [0, 400]
    assert shares[1] < shares[2]
    assert 160 < len(shares[2]) < 240


def test_conversions_keep_what_was_perturbed(mixed: Path, tmp_path: Path) -> None:
    convert(ConvertConfig(path=mixed, format="lerobot", output_dir=tmp_path / "lerobot", workers=0, quiet=True))
    for stored, converted in zip(Dataset(mixed), Dataset(tmp_path / "lerobot"), strict=True):
        one, other = stored.episode, converted.episode
        assert (one.perturbed, one.spec.perturb) == (other.perturbed, other.spec.perturb)
    assert read_attempts(tmp_path / "lerobot") == read_attempts(mixed)


def test_libero_demonstrations_are_perturbed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed = []

    def spy(env: Environment, *arguments: object) -> object:
        replayed.append((env.spec.control, env.spec.perturb))
        return replay(env, *arguments)

    monkeypatch.setattr("ambidex.recorders.verification.worker.replay", spy)
    axes = ("light:3", "object_colour:4", "action_delay:2", "action_noise:3")
    record_libero(tmp_path / "libero", num_episodes=1, workers=0, keep_failures=False, perturb=axes)
    convert(ConvertConfig(path=tmp_path / "libero", format="act", output_dir=tmp_path / "act", workers=0, quiet=True))
    (one,), (other,) = ([stored.episode for stored in Dataset(tmp_path / name)] for name in ("libero", "act"))
    assert one.perturbed == other.perturbed
    assert one.perturbed.keys() == {axis.partition(":")[0] for axis in one.spec.perturb}
    assert one.spec.perturb == other.spec.perturb == axes
    assert len(np.unique(one.ee_actions, axis=0)) == 1 < len(np.unique(one.joint_actions, axis=0))  # what was sent
    for folder in ("libero", "act"):
        ((_, result),) = verify(tmp_path / folder, workers=0)
        assert result.states.same
        assert result.draws == ()
    assert replayed == 2 * [("ee", axes), ("joint", axes[:2])]  # executed actions are neither delayed nor noisy again


def test_an_episode_may_have_words_of_its_own_only_where_they_are_perturbed(tmp_path: Path) -> None:
    record_to(tmp_path, STATES, num_episodes=1, workers=0, perturb=("dynamics",))
    path, axes = tmp_path / "episode_0.hdf5", ("dynamics:3", "language:1")
    info, episode = Dataset(tmp_path).info, read_episode(path)
    replace(info, env_spec=replace(info.env_spec, perturb=axes)).write(tmp_path)
    spec = replace(episode.spec, instruction="please insert the peg into the socket", perturb=axes)
    write_episode(path, replace(episode, spec=spec), {}, "lossless")
    assert read_episode(path).spec.instruction == spec.instruction
    write_episode(path, replace(episode, spec=replace(spec, perturb=axes[:1])), {}, "lossless")
    with pytest.raises(DatasetError, match="another recording"):
        read_episode(path)
    write_episode(path, replace(episode, spec=replace(spec, perturb=("camera:3",))), {}, "lossless")
    with pytest.raises(DatasetError, match="another recording"):
        read_episode(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"perturb": ("camra",)}, "Did you mean 'camera'"),
        ({"perturb": ("camera:6",)}, "camera:6"),
        ({"perturb": ("wrist_camera",), "cameras": ("top",)}, "wrist_camera: the dataset gets images of top"),
        ({"perturb": ("light", "dynamics"), "cameras": ()}, "light: the dataset gets no images"),
        ({"perturb": ("object_colour",), "task": "transfer_cube"}, "object_colour"),
        ({"perturb": ("light",), "perturb_mix": 1.5}, "0 to 1"),
        ({"perturb": ("light",), "perturb_mix": float("nan")}, "0 to 1"),
        ({"perturb_mix": 0.5}, "Add --perturb"),
        ({"perturb": ("light:0",), "perturb_mix": 0.5}, "Add --perturb"),
    ],
)
def test_wrong_usage_is_refused(changes: Mapping[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=words):
        record_to(tmp_path / "out", TWO, **changes)
    assert not (tmp_path / "out").exists()


def test_level_0_is_no_perturbation(tmp_path: Path) -> None:
    for name, axes in (("clean", ()), ("zero", ("light:0",))):
        record_to(tmp_path / name, TWO, num_episodes=1, perturb=axes)
    assert contents(tmp_path / "clean") == contents(tmp_path / "zero")
