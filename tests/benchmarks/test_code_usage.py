"""How a policy used its codes: figures, picture and refusals, from results made up by hand."""

import json
import re
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image
from results_folder import make_row, write_results
from synthetic_episode import make_spec

from ambidex.benchmarks.codes.code_usage import CodeUsageConfig, main
from ambidex.benchmarks.codes.drawing import PAPER
from ambidex.benchmarks.codes.figures import BARS, MARGIN, ROBOTS, SWATCH, codebook_picture, heat
from ambidex.benchmarks.codes.folder import CodedFolder, codebook_size
from ambidex.benchmarks.codes.usage import CodebookUse, check_alike
from ambidex.benchmarks.results.info import CheckpointId
from ambidex.errors import AmbidexError, CheckpointError, DatasetError, UsageError

GOAL = "libero_goal/put_the_bowl_on_the_stove"
SPECS = {
    "insertion": make_spec(),
    "transfer_cube": make_spec(task="transfer_cube"),
    GOAL: make_spec(task=GOAL, robot="panda", control="ee"),
}
PLAYED = {
    ("insertion", 1): ((0, 30), (2, 10)),
    ("insertion", 2): ((0, 30), (2, 10)),
    ("transfer_cube", 1): ((-1, 5), (2, 10)),
    (GOAL, 1): ((5, 20), (0, 20)),
}
"""Of 8 codes: 60 steps of code 0 in insertion and 20 in GOAL, 20 and 10 of 2, 20 of 5."""


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(tmp_path / "run" / "checkpoints" / "7")


def write_checkpoint(folder, weights=b"weights", **config):
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(json.dumps({"policy": "uniact", "config": {"codes": 8, **config}}))
    return CheckpointId(path=str(folder), sha256=sha256(weights).hexdigest())


def write_coded(folder, checkpoint, played=PLAYED, **changes):
    rows = [make_row(task, seed, stage=1, policy="uniact", codes=codes) for (task, seed), codes in played.items()]
    specs = {task: SPECS[task] for task, _ in played}
    return write_results(folder, rows, videos=False, **{"checkpoint": checkpoint, "env_specs": specs, **changes})


def used(*folders):
    read = [CodedFolder.read(folder) for folder in folders]
    check_alike(read)
    return CodebookUse.of(read, codebook_size(read[0].checkpoint, None))


def test_figures_are_exact(tmp_path, checkpoint):
    use = used(write_coded(tmp_path / "results", checkpoint))
    assert (use.whole.episodes, use.whole.steps, use.without) == (4, 130, 0)
    assert use.whole.shares == pytest.approx(np.array([80, 0, 30, 0, 0, 20, 0, 0]) / 130)
    assert (use.whole.used, use.whole.dead) == (3, (1, 3, 4, 6, 7))
    assert {robot: (own.episodes, own.steps) for robot, own in use.robots.items()} == {
        "viperx_bimanual-joint": (3, 90),
        "panda-ee": (1, 40),
    }
    arms = use.tasks["insertion", "viperx_bimanual-joint"]
    assert arms.perplexity == pytest.approx(4 / 3**0.75) and arms.most_used(5) == {0: 0.75, 2: 0.25}
    assert use.tasks[GOAL, "panda-ee"].perplexity == pytest.approx(2)
    order = [task for task, _ in use.tasks]
    divergence = use.between_tasks[order.index("transfer_cube"), order.index(GOAL)]
    assert divergence == pytest.approx(1)
    assert use.between_robots.shape == (2, 2)


def test_several_folders_count_together(tmp_path, checkpoint):
    played = list(PLAYED.items())
    parts = [write_coded(tmp_path / str(i), checkpoint, dict(played[i : i + 2])) for i in (0, 2)]
    together, once = used(*parts), used(write_coded(tmp_path / "once", checkpoint))
    assert together.whole.shares.tolist() == once.whole.shares.tolist() and set(together.tasks) == set(once.tasks)


def test_a_task_with_two_robots_is_two_groups(tmp_path, checkpoint):
    joint = write_coded(tmp_path / "joint", checkpoint, {(GOAL, 1): ((1, 4),)}, env_specs={GOAL: make_spec(task=GOAL)})
    use = used(write_coded(tmp_path / "ee", checkpoint, {(GOAL, 1): ((0, 4),)}), joint)
    assert list(use.tasks) == [(GOAL, "panda-ee"), (GOAL, "viperx_bimanual-joint")]
    assert use.between_tasks.tolist() == use.between_robots.tolist() == [[0, 1], [1, 0]]


def test_an_episode_without_codes_is_left_out_and_counted(tmp_path, checkpoint, capsys):
    folder = write_coded(tmp_path / "results", checkpoint, {**PLAYED, ("insertion", 9): ()})
    main(CodeUsageConfig(results=(folder,), output=tmp_path / "codes.png"))
    assert "4 episodes, 130 steps\n1 episode without codes left out\n" in capsys.readouterr().out


def test_the_program_prints_draws_and_writes(tmp_path, checkpoint, capsys):
    output = tmp_path / "new" / "codes.png"
    main(CodeUsageConfig(results=(write_coded(tmp_path / "results", checkpoint),), output=output))
    said = capsys.readouterr().out
    assert "3 of 8 codes used, 5 dead" in said and "between robots [bit]" in said and "between tasks [bit]" in said
    assert "viperx_bimanual-joint  2         1.8         0: 75.0 %, 2: 25.0 %" in said
    assert "of 10,000 renamings [bit]" in said and "viperx_bimanual-joint, panda-ee  0." in said
    assert re.search(r"\n2, 3 +1\.000 +chance: 0\.\d{3} \(0\.\d{3} to 1\.000\), p 1\.00\n", said)  # disjoint
    with Image.open(output) as picture:
        assert picture.format == "PNG"
    values = json.loads(output.with_suffix(".json").read_text())
    assert values["codes"] == 8 and values["checkpoint"]["sha256"] == checkpoint.sha256
    assert values["all"]["dead"] == [1, 3, 4, 6, 7] and sum(values["all"]["shares"]) == pytest.approx(1)
    assert len(values["jensen_shannon_bits"]["tasks"]) == len(values["tasks"]) == 3
    for groups, pairs in (("robots", [[0, 1]]), ("tasks", [[0, 1], [0, 2], [1, 2]])):
        chance = values["chance"][groups]
        assert [pair["places"] for pair in chance] == pairs
        for pair in chance:
            one, other = pair["places"]
            low, high = pair["central_95_bits"]
            assert pair["bits"] == pytest.approx(values["jensen_shannon_bits"][groups][one][other])
            assert 0 <= low <= pair["mean_bits"] <= high <= 1 and 0 < pair["p"] <= 1 and pair["renamings"] == 10_000
    assert sorted(path.name for path in output.parent.iterdir()) == ["codes.json", "codes.png"]


def test_the_picture_has_bars_of_each_robot_and_the_colours_of_the_divergences(tmp_path, checkpoint):
    use = used(write_coded(tmp_path / "results", checkpoint))
    picture = codebook_picture(use)
    colours = {*ROBOTS[:2], *(heat(float(value)) for value in use.between_tasks.ravel())}
    assert all((picture == colour).all(-1).any() for colour in colours)
    assert all((edge == PAPER).all() for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    alone = codebook_picture(used(write_coded(tmp_path / "alone", checkpoint, {("insertion", 1): ((0, 3),)})))
    assert alone.shape[1] < picture.shape[1] - 300


def test_bars_of_all_tasks_have_one_scale(tmp_path, checkpoint):
    picture = codebook_picture(used(write_coded(tmp_path / "results", checkpoint)))[:, MARGIN + SWATCH :]
    arms, panda = ({*np.unique((picture == colour).all(-1).sum(0))} - {0} for colour in ROBOTS[:2])
    assert panda == {BARS / 2}  # half each, of what transfer_cube's only code has
    assert arms == {BARS * 3 // 4, BARS // 4 + BARS}  # code 0 of insertion; code 2 of both, one above the other


@pytest.mark.parametrize("codes", [8, 64, 256, 2000])
def test_a_bar_of_any_codebook_has_room(tmp_path, codes):
    checkpoint = write_checkpoint(tmp_path / "run", codes=codes)
    picture = codebook_picture(used(write_coded(tmp_path / "a", checkpoint, {("insertion", 1): ((codes - 1, 3),)})))
    columns = np.flatnonzero((picture[60:] == ROBOTS[0]).all(-1).sum(0) > 20)
    assert 2 <= len(columns) <= 110 and columns[-1] < picture.shape[1] - 18


def test_a_checkpoint_that_moved_is_named(tmp_path, checkpoint):
    folder = write_coded(tmp_path / "results", checkpoint)
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    config = CodeUsageConfig(results=(folder,), output=tmp_path / "codes.jpg", quiet=True)
    with pytest.raises(UsageError, match=r"is not at .*checkpoints/7.*--checkpoint RUN"):
        main(config)
    main(replace(config, checkpoint=moved / "checkpoints" / "7"))
    assert (tmp_path / "codes.jpg").is_file()


def test_another_checkpoint_is_refused(tmp_path, checkpoint):
    write_checkpoint(tmp_path / "other", b"others")
    with pytest.raises(UsageError, match="is not the checkpoint of these results"):
        codebook_size(checkpoint, tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("config.json", "{", CheckpointError, "cannot be read"),
        ("config.json", "[]", CheckpointError, "cannot be read"),
        ("config.json", '{"policy": "act", "config": {}}', UsageError, "`codes` is None"),
        ("model.safetensors", None, CheckpointError, r"has no model\.safetensors"),
        ("config.json", None, UsageError, "--checkpoint RUN"),
    ],
)
def test_a_checkpoint_that_says_nothing_is_refused(tmp_path, name, text, error, says):
    checkpoint = write_checkpoint(tmp_path / "run")
    file = tmp_path / "run" / name
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(error, match=says):
        codebook_size(checkpoint, None)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"played": {("insertion", 1): ()}}, DatasetError, "has no codes: of no episode of uniact"),
        ({"execution": "chunk:8 code:3"}, UsageError, "without --code"),
        ({"checkpoint": None}, DatasetError, "names no checkpoint"),
        ({"env_specs": {}}, DatasetError, "has no spec of insertion"),
        ({"played": {("insertion", 1): ((8, 3),)}}, DatasetError, "code 8 for 3 steps. Expected codes 0 to 7"),
        ({"played": {("insertion", 1): ((1, 0),)}}, DatasetError, "code 1 for 0 steps"),
    ],
)
def test_a_folder_that_cannot_be_counted_is_refused(tmp_path, checkpoint, changes, error, says):
    folder = write_coded(tmp_path / "results", **{"checkpoint": checkpoint, **changes})
    with pytest.raises(error, match=says):
        used(folder)


def test_folders_that_do_not_belong_together_are_refused(tmp_path, checkpoint):
    folder = write_coded(tmp_path / "a", checkpoint)
    other = write_coded(tmp_path / "b", write_checkpoint(tmp_path / "other", b"others"))
    with pytest.raises(UsageError, match="of different checkpoints"):
        used(folder, other)
    with pytest.raises(UsageError, match="would count twice"):
        used(folder, folder)


@pytest.mark.parametrize(
    ("results", "output", "says"),
    [
        ((), "codes.png", "Give results folders"),
        (("none",), "codes.png", "no folder .*none. Expected a results folder of run-benchmark"),
        (("a",), "codes.gif", "--output"),
    ],
)
def test_wrong_words_are_refused(tmp_path, results, output, says):
    config = CodeUsageConfig(results=tuple(tmp_path / name for name in results), output=tmp_path / output)
    with pytest.raises(AmbidexError, match=says):
        main(config)
    assert list(tmp_path.iterdir()) == []
