"""`render-episodes --perturb` and `--looks`: other images of the same states."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_fakes import SMALL, contents, record_to

from ambidex.envs.perturbations.registry import AXES
from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.data.dataset import read_tables
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.formats.libero.merge import _masks
from ambidex.recorders.inspect_dataset import main as inspect_dataset
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.render import render
from ambidex.recorders.verification.verify import verify

IMAGES = ("light:4", "sensor:3")
RECORDED = replace(SMALL, num_episodes=2, workers=0, keep_failures=True)
LOOKS = 3


def render_to(path: Path, directory: Path, **changes: object) -> Path:
    render(RenderConfig(path=path, output_dir=directory, quiet=True, workers=0, **changes))
    return directory


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("clean") / "data"
    record_to(directory, RECORDED)
    return directory


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded with perturbed states and images, half of the episodes."""
    directory = tmp_path_factory.mktemp("moved") / "data"
    record_to(directory, RECORDED, perturb=("camera", "robot_start", "dynamics"), perturb_mix=0.5)
    return directory


@pytest.fixture(scope="module")
def looks(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_to(clean, tmp_path_factory.mktemp("looks") / "data", perturb=IMAGES, looks=LOOKS)


def frames(stored: object) -> np.ndarray:
    return np.stack(list(stored.frames("top")))  # type: ignore[attr-defined]


def same_but_for_info(one: Path, other: Path) -> None:
    a, b = contents(one), contents(other)
    assert {name for name in {*a, *b} if a.get(name) != b.get(name)} == {"info"}


def test_perturbed_later_is_what_would_have_been_recorded(clean: Path, tmp_path: Path) -> None:
    record_to(tmp_path / "recorded", RECORDED, perturb=IMAGES)
    same_but_for_info(render_to(clean, tmp_path / "rendered", perturb=IMAGES), tmp_path / "recorded")


def test_without_axes_a_perturbed_dataset_is_rendered_as_recorded(moved: Path, tmp_path: Path) -> None:
    same_but_for_info(render_to(moved, tmp_path), moved)


@pytest.mark.parametrize("axis", AXES)
def test_images_of_every_axis_are_rendered_as_recorded(axis: str, tmp_path: Path) -> None:
    record_to(tmp_path / "data", RECORDED, num_episodes=1, perturb=(axis,), cameras=("top", "left_wrist"))
    same_but_for_info(tmp_path / "data", render_to(tmp_path / "data", tmp_path / "again"))


def test_axes_of_images_replace_those_of_the_recording_and_others_stay(moved: Path, tmp_path: Path) -> None:
    record_to(tmp_path / "light", RECORDED, perturb=("light", "robot_start", "dynamics"), perturb_mix=0.5)
    rendered = render_to(moved, tmp_path / "rendered", perturb=("light",))
    mixed = [(Dataset(folder)[0], Dataset(folder)[1]) for folder in (moved, tmp_path / "light", rendered)]
    for recorded, expected, found in zip(*mixed, strict=True):
        assert found.spec.perturb == ("light:3", *(word for word in recorded.spec.perturb if word != "camera:3"))
        if recorded.spec.perturb:
            assert found.episode.perturbed == expected.episode.perturbed
            assert np.array_equal(frames(found), frames(expected))
    assert Dataset(render_to(moved, tmp_path / "none", perturb=())).spec.perturb == ("robot_start:3", "dynamics:3")
    two = render_to(moved, tmp_path / "two", perturb=("light",), looks=2)  # looks draw nothing that changes states
    assert all(result.states.same and not result.draws for _, result in verify(two, ee=False, workers=0))


def test_each_look_has_the_same_states_and_images_of_its_own(clean: Path, looks: Path, tmp_path: Path) -> None:
    record_to(tmp_path, RECORDED, perturb=IMAGES)
    recorded, found = Dataset(tmp_path), list(Dataset(looks))
    assert len(found) == LOOKS * len(recorded)
    for index, stored in enumerate(Dataset(looks)):
        number, look = divmod(index, LOOKS)
        episode, expected = stored.episode, Dataset(clean)[number].episode
        assert (episode.seed, episode.look, episode.source_episode) == (expected.seed, look, number)
        assert episode.states.tobytes() == expected.states.tobytes()
        if look == 0:
            assert np.array_equal(frames(stored), frames(recorded[number]))
    images = {frames(stored).tobytes() for stored in Dataset(looks)}
    draws = {json.dumps(stored.episode.perturbed["light"]) for stored in Dataset(looks)}
    assert len(images) == len(draws) == len(found)


def test_attempts_and_counts_are_those_of_all_looks(clean: Path, looks: Path) -> None:
    source, rows = read_attempts(clean), read_attempts(looks)
    assert [(row.seed, row.look) for row in rows] == [(row.seed, look) for row in source for look in range(LOOKS)]
    stored = {(e.seed, e.look): e.perturbed for e in (s.episode for s in Dataset(looks))}
    assert {(r.seed, r.look): r.perturbed for r in rows if r.episode is not None} == stored
    info, old = Dataset(looks).info, Dataset(clean).info
    assert (info.attempts, info.episodes, info.errors) == (3 * old.attempts, 3 * old.episodes, 3 * old.errors)
    failures = {path.name for path in (looks / "failures").iterdir()}
    seeds = [row.seed for row in source if row.outcome == "failure"]
    assert failures == {f"episode_{seed}{end}.hdf5" for seed in seeds for end in ("", "_look_1", "_look_2")}


def test_looks_are_verified_and_inspected(looks: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    results = [result for _, result in verify(looks, ee=False, workers=0)]
    assert len(results) == len([*looks.rglob("*.hdf5")])
    assert all(result.states.same and not result.draws for result in results)
    with pytest.raises(SystemExit) as end:
        inspect_dataset([str(looks), "--json", str(tmp_path / "found.json")])
    out = capsys.readouterr().out
    assert "light:4 sensor:3 in 12 episodes" in out
    assert "3 of each episode" in out
    assert end.value.code == 0, out
    (found,) = json.loads((tmp_path / "found.json").read_text())["datasets"]
    assert [episode["look"] for episode in found["episodes"][:4]] == [0, 1, 2, 0]


def test_looks_of_an_episode_are_held_out_together(clean: Path, looks: Path) -> None:
    (table,) = read_tables([looks, clean], multi_embodiment=False)  # also beside the dataset that they are looks of
    states = [entry.initial_state for entry in table.entries]  # by which the episodes are split
    assert states == [states[0]] * 3 + [states[3]] * 3 + [states[0], states[3]]
    assert states[0] != states[3]
    masks = {name: list(names) for name, names in _masks({26: 8, 27: 9, 28: 9, 29: 9, 30: 10}).items()}
    assert masks == {"train": [b"demo_26", b"demo_30"], "valid": [b"demo_27", b"demo_28", b"demo_29"]}


def test_looks_that_are_missing_are_rendered_again(clean: Path, looks: Path, tmp_path: Path) -> None:
    flags = {"perturb": IMAGES, "looks": LOOKS}
    render_to(clean, tmp_path, **flags)
    (tmp_path / "episode_4.hdf5").unlink()
    (tmp_path / "failures" / "episode_0_look_1.hdf5").unlink()
    render_to(clean, tmp_path, **flags, resume=True)
    assert contents(tmp_path) == contents(looks)
    with pytest.raises(UsageError, match="--looks was 3, now 2"):
        render_to(clean, tmp_path, perturb=IMAGES, looks=2, resume=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"perturb": ("ligth",)}, "Did you mean 'light'"),
        ({"perturb": ("light:7",)}, "light:7"),
        ({"perturb": ("light", "dynamics:1")}, "dynamics:1: this changes more than images"),
        ({"perturb": ("event:2",)}, "event:2: this changes more than images"),
        ({"perturb": ("wrist_camera",)}, "wrist_camera: the dataset gets images of top"),
        ({"perturb": ("light",), "cameras": ()}, "light: the dataset gets no images"),
        ({"looks": 2}, "Add --perturb"),
        ({"perturb": ("light:0",), "looks": 2}, "Add --perturb"),
        ({"perturb": ("light",), "looks": 0}, "--looks 0"),
        ({"perturb": ("light",), "looks": FIRST_BENCHMARK_SEED}, "expected 1 to 50000"),
    ],
)
def test_wrong_usage_is_refused(clean: Path, changes: Mapping[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=words):
        render_to(clean, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_looks_of_looks_are_refused(looks: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="several looks of each episode already"):
        render_to(looks, tmp_path / "out", perturb=("light",), looks=2)
    same_but_for_info(render_to(looks, tmp_path / "again"), looks)
