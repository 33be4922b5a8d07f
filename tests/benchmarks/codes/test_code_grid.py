"""Codes of one UniAct for two robots: fixed in benchmarks, and drawn as a grid."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarking_fakes import HOLD
from PIL import Image
from synthetic_episode import make_spec
from two_robots import TASKS, write_two_robots

from ambidex.benchmarks.codes import code_grid
from ambidex.benchmarks.codes.code_grid import CodeGridConfig, main, steps, strips
from ambidex.benchmarks.codes.drawing import PAPER, Column, image_table
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.checkpoint import load

SHORT = CodeGridConfig(codes=(2,), seconds=0.4, frames=2, height=24)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_two_robots(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("task", TASKS)
def test_a_benchmark_can_fix_a_code_for_any_robot_of_a_checkpoint(tmp_path, checkpoint, task):
    config = replace(HOLD, policy="uniact", checkpoint=checkpoint, task=task, horizon=24, episodes=1, device="cpu")
    (free,) = benchmark(replace(config, output_dir=tmp_path / "free")).rows
    (fixed,) = benchmark(replace(config, output_dir=tmp_path / "fixed", code=13)).rows
    assert sum(steps for _, steps in free.codes) == 24 and all(0 <= code < 16 for code, _ in free.codes)
    assert fixed.codes == ((13, 24),) and fixed.execution == "chunk:8 code:13"
    with pytest.raises(UsageError, match=r"^--code 16 is not .*the codebook has 16"):
        benchmark(replace(config, output_dir=tmp_path / "none", code=16))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("task", TASKS)
def test_rollouts_start_alike_and_differ_by_code(checkpoint, task):
    one, again, other = strips(replace(SHORT, codes=(2, 2, 9)), load(checkpoint), task)
    assert all(image.shape[0] == 24 and image.dtype == np.uint8 for image in one)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[0], one[1]) and not np.array_equal(one[1], other[1])


def test_frames_are_spread_over_the_rollout(checkpoint):
    policy = load(checkpoint)
    (ends,), (three,) = (strips(replace(SHORT, frames=n), policy, "transfer_cube") for n in (2, 3))
    np.testing.assert_array_equal(ends, three[::2])
    assert not np.array_equal(three[0], three[1]) and not np.array_equal(three[1], three[2])
    assert [steps(SHORT, make_spec(control_hz=rate)) for rate in (50.0, 20.0, 1.0)] == [20, 8, 1]


def test_the_seed_fixes_the_initial_state(checkpoint):
    policy = load(checkpoint)
    (one,), (other,) = (strips(replace(SHORT, seed=seed, height=48), policy, "transfer_cube") for seed in (0, 1))
    assert not np.array_equal(one[0], other[0])


def test_a_column_shows_task_robot_instruction_and_times_from_its_camera(tmp_path, checkpoint, monkeypatch):
    drawn, config = [], CodeGridConfig(checkpoint=checkpoint, codes=(1,), seconds=0.2, frames=2, height=24, quiet=True)
    table = code_grid.image_table
    monkeypatch.setattr(code_grid, "image_table", lambda rows, columns: drawn.append(columns) or table(rows, columns))
    for cameras in (None, ("angle", "robot0_eye_in_hand")):
        main(replace(config, cameras=cameras, output=tmp_path / "grid.png"))
    usual, chosen = drawn
    titles = ["transfer_cube, viperx_bimanual-joint", "libero_goal/1, panda-ee"]
    assert [column.title for column in usual] == titles and usual[1].subtitle == "put the bowl on the stove"
    assert [column.marks for column in usual] == [["0.00 s", "0.20 s"]] * 2
    assert not any(np.array_equal(a.cells[0][0], b.cells[0][0]) for a, b in zip(usual, chosen, strict=True))


def test_grid_has_a_row_for_each_code_and_a_column_for_each_task(tmp_path, checkpoint):
    output = tmp_path / "new" / "grid.png"
    config = CodeGridConfig(
        checkpoint=checkpoint, codes=(1, 9, 4), seconds=0.2, frames=2, height=24, output=output, quiet=True
    )
    main(config)
    main(replace(config, codes=(1,), tasks=("libero_goal/1",), output=output.with_name("one.jpg")))
    with Image.open(output) as whole, Image.open(output.with_name("one.jpg")) as one:
        assert (whole.format, one.format) == ("PNG", "JPEG")
        assert whole.height - one.height == 2 * (24 + 2)
        assert whole.width - one.width == 2 * 32 + 2 + 14


def test_table_shows_each_image_in_its_cell():
    colours = np.arange(8 * 3).reshape(4, 2, 3) * 10
    images = [[np.full((20, 30, 3), colour, np.uint8) for colour in row] for row in colours]
    columns = [Column(title="t" * 99, subtitle="", marks=("0 s", "1 s"), cells=images[i : i + 2]) for i in (0, 2)]
    table = image_table(["code 1", "code 2"], columns)
    found = {tuple(colour) for colour in table.reshape(-1, 3)}
    assert {tuple(colour) for colour in colours.reshape(-1, 3)} <= found
    assert (table[-1] == PAPER).all() and (table[:, -1] == PAPER).all()
    rows = [np.argwhere((table == colours[i, 0]).all(-1)).min(0) for i in range(4)]
    assert rows[0][0] == rows[2][0] < rows[1][0] == rows[3][0] and rows[0][1] == rows[1][1] < rows[2][1]


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"codes": ()}, "--codes"),
        ({"checkpoint": None}, "--checkpoint"),
        ({"tasks": ()}, "--tasks"),
        ({"cameras": ("top",)}, "--cameras top"),
        ({"control": ("joint",)}, "--control joint"),
        ({"control": ("joint", "joint")}, "--control joint"),
        ({"frames": 1}, "--frames 1"),
        ({"seconds": 0.0}, "--seconds 0"),
        ({"output": "grid.gif"}, "--output"),
        ({"codes": (3, 16)}, "--codes 16"),
        ({"tasks": ("transfer_cub",)}, "transfer_cub"),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_written(tmp_path, checkpoint, changes, flag):
    config = CodeGridConfig(checkpoint=checkpoint, codes=(1,), seconds=0.1, frames=2, height=24)
    output = tmp_path / changes.get("output", "grid.png")
    with pytest.raises(UsageError, match=flag):
        main(replace(config, **{**changes, "output": output}))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_camera_is_refused(checkpoint):
    with pytest.raises(UnknownNameError, match="sideways"):
        strips(SHORT, load(checkpoint), "transfer_cube", "sideways")
