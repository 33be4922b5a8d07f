"""A benchmark of perturbed episodes: its rows, resuming, playing back, and comparing it with the clean one."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks import verify_results
from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.comparison.remarks import remarks
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.export.entries import read_entries, setting_differences
from ambidex.benchmarks.export.tables import caption
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.envs.env import make
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError, UsageError
from ambidex.policies.batch import ObservationBatch
from ambidex.recorders.video.caption import Caption, CaptionBar

CONFIG = BenchmarkConfig(
    policy="scripted", task="transfer_cube", episodes=2, horizon=30, video="none", workers=0, quiet=True
)
AXES = ("robot_start:2", "lag", "action_delay:1", "action_noise:1", "dynamics")
SPEC = make("insertion", cameras=("top",), image_size=(24, 32)).spec


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results of clean and of perturbed episodes."""
    root = tmp_path_factory.mktemp("perturbed")
    for name, axes in (("clean", ()), ("perturbed", AXES)):
        benchmark(replace(CONFIG, perturb=axes, output_dir=root / name))
    return root / "clean", root / "perturbed"


def test_rows_have_what_was_drawn(folders: tuple[Path, Path]) -> None:
    clean, perturbed = (ResultsFolder(folder) for folder in folders)
    assert [dict(row.perturbed) for row in clean.rows] == [{}, {}]
    assert "perturbed" not in clean.rows[0].to_line()
    for row in perturbed.rows:
        assert {axis: drawn["level"] for axis, drawn in row.perturbed.items()} == {
            "robot_start": 2,
            "action_delay": 1,
            "action_noise": 1,
            "dynamics": 3,
            "lag": 3,
        }
        assert row.perturbed["robot_start"]["distance_rad"] == 0.2
    masses = [row.perturbed["dynamics"]["mass_factor"] for row in perturbed.rows]
    assert len({*masses, 1.0}) == 3
    assert perturbed.info.env_specs["transfer_cube"].perturb == (
        *("robot_start:2", "lag:3", "action_delay:1", "action_noise:1", "dynamics:3"),
    )


def test_it_is_played_back_bit_for_bit(
    folders: tuple[Path, Path], run_command: Callable[..., tuple[object, str, str]]
) -> None:
    status, out, _ = run_command(verify_results.main, folders[1], "--workers", 0, "--bitwise")
    assert status == 0
    assert "2 of 2 episodes have the same states bit for bit and the same row" in out


def test_other_axes_are_not_mixed_with_it(folders: tuple[Path, Path]) -> None:
    config = replace(CONFIG, perturb=AXES[:2], output_dir=folders[1], resume=True, episodes=3)
    with pytest.raises(UsageError, match=r"--perturb was .*robot_start:2.*now"):
        benchmark(config)


def test_it_is_compared_with_the_clean_episodes(folders: tuple[Path, Path]) -> None:
    config = CompareConfig(results=folders)
    (found,) = compare(config)
    assert len(found.episodes) == 2
    assert "Perturbations: A none; B robot_start:2 lag:3 action_delay:1" in remarks(found, config)


def test_other_initial_states_are_noticed_where_no_axis_changes_them(tmp_path: Path) -> None:
    for name, axes in (("clean", ()), ("delayed", ("action_delay",))):
        benchmark(replace(CONFIG, episodes=1, perturb=axes, output_dir=tmp_path / name))
    config = CompareConfig(results=(tmp_path / "clean", tmp_path / "delayed"))
    assert len(compare(config)) == 1
    rows = tmp_path / "delayed" / "results.jsonl"
    sha256 = ResultsFolder(tmp_path / "delayed").rows[0].initial_state_sha256
    rows.write_text(rows.read_text().replace(sha256, "0" * 64))
    with pytest.raises(DatasetError, match="different initial states"):
        compare(config)


def test_a_changed_value_is_noticed_by_the_playback(
    folders: tuple[Path, Path], tmp_path: Path, run_command: Callable[..., tuple[object, str, str]]
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(folders[1], copied)
    rows = copied / "results.jsonl"
    rows.write_text(re.sub(r'"mass_factor": [\d.]+', '"mass_factor": 1.5', rows.read_text()))
    status, out, _ = run_command(verify_results.main, copied, "--workers", 0)
    assert status == 1
    assert "dynamics of perturbed was" in out


def test_exports_keep_perturbed_and_clean_episodes_apart(folders: tuple[Path, Path]) -> None:
    entries = read_entries(folders)
    assert len(entries) == 2
    (line,) = setting_differences(entries)
    assert line.startswith("perturb of transfer_cube")
    assert "perturbed by robot_start:2 lag:3" in caption(entries)
    assert "perturbed" not in caption(entries[:1])


def test_a_perturbed_benchmark_deviates_from_every_protocol() -> None:
    config = replace(CONFIG, task="libero_goal/1", protocol="openvla", horizon=None, episodes=None, perturb=("light",))
    assert "--perturb light:3" in make_plan(config).protocol


def test_a_baseline_that_does_not_look_is_named() -> None:
    for axes, named in (
        (("lag", "camera"), "camera, lag: scripted uses neither"),
        (("language",), "language: scripted"),
    ):
        assert named in make_plan(replace(CONFIG, perturb=axes)).perturbation_note
    assert make_plan(replace(CONFIG, perturb=("dynamics",))).perturbation_note == ""


class ListeningPolicy(ToyPolicy):
    """Keeps the instructions that it is sent."""

    def __init__(self, spec: EnvSpec, heard: list[str]) -> None:
        super().__init__(spec)
        self.inputs, self.heard = replace(self.inputs, instruction=True), heard

    def predict(self, observation: ObservationBatch) -> Tensor:
        self.heard += observation.instructions
        return super().predict(observation)


def benchmark_of_policy(folder: Path, perturb: tuple[str, ...], kind: Callable[[EnvSpec], ToyPolicy]) -> ResultsFolder:
    config = replace(
        CONFIG, policy="act", task="insertion", checkpoint=write_checkpoint(folder / "run"), device="cpu", horizon=60
    )
    benchmark(replace(config, perturb=perturb, output_dir=folder / "results"), load=lambda path: kind(SPEC).eval())
    return ResultsFolder(folder / "results")


def test_a_trained_policy_gets_the_paraphrases_of_the_rows_and_nothing_else(tmp_path: Path) -> None:
    heard: list[str] = []
    results = benchmark_of_policy(tmp_path, ("camera", "language:5"), lambda spec: ListeningPolicy(spec, heard))
    assert [row.outcome for row in results.rows] == ["failure", "failure"]
    told = [row.perturbed["language"]["instruction"] for row in results.rows]
    # Batches have a fixed size: unused rows, and a first batch without requests, have the clean instruction.
    assert set(told) <= set(heard) <= {*told, SPEC.instruction}
    assert not any(text.startswith("pick up") for text in told)


def test_a_trained_policy_gets_the_clean_instruction_under_other_axes(tmp_path: Path) -> None:
    heard: list[str] = []
    results = benchmark_of_policy(tmp_path, ("camera", "dynamics"), lambda spec: ListeningPolicy(spec, heard))
    assert len(results.rows) == 2
    assert set(heard) == {SPEC.instruction}


def test_a_trained_policy_without_instruction_or_with_known_ones_is_not_told_others(tmp_path: Path) -> None:
    def knowing(spec: EnvSpec) -> ToyPolicy:
        policy = ListeningPolicy(spec, [])
        policy.instructions = (SPEC.instruction,)
        return policy

    for kind, reason in ((ToyPolicy, "no instruction"), (knowing, "knows only")):
        with pytest.raises(UsageError, match=reason):
            benchmark_of_policy(tmp_path, ("language",), kind)
        assert not (tmp_path / "results" / "results.jsonl").exists()


def test_levels_are_in_the_name_of_the_folder() -> None:
    plan = make_plan(replace(CONFIG, perturb=("camera", "light:1")))
    assert plan.config.perturb == ("camera:3", "light:1")
    assert plan.directory == Path("results/scripted-transfer_cube-camera3-light1")
    assert "--perturb camera:3 light:1" in plan.resume_command


def test_captions_name_the_axes() -> None:
    bars = []
    for axes in ((), ("camera:3",), ("camera:4",)):
        bar = CaptionBar(640, 240)
        caption = Caption(task="insertion", seed=3, time_s=1.0, stage="", outcome="", perturb=axes)
        image = np.zeros((bar.height, 640, 3), np.uint8)
        bar.draw(image, caption)
        bars.append(image.tobytes())
    assert len(set(bars)) == 3
