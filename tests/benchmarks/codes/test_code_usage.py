"""Code usage of hand-made results: numbers, image and refusals."""

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
from ambidex.benchmarks.codes.figures import BARS, MARGIN, SWATCH, codebook_image, divergence_colour
from ambidex.benchmarks.codes.folder import CodedResults, codebook_size
from ambidex.benchmarks.codes.usage import CodebookUsage, check_combinable
from ambidex.benchmarks.results.info import CheckpointId
from ambidex.errors import CheckpointError, DatasetError, UsageError
from ambidex.recorders.inspection.chart import PALETTE

GOAL = "libero_goal/put_the_bowl_on_the_stove"
SPECS = {
    "insertion": make_spec(),
    "transfer_cube": make_spec(task="transfer_cube"),
    GOAL: make_spec(task=GOAL, robot="panda", control="ee"),
}
EXECUTED = {
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


def write_coded(folder, checkpoint, executed=EXECUTED, **changes):
    rows = [make_row(task, seed, stage=1, policy="uniact", codes=codes) for (task, seed), codes in executed.items()]
    specs = {task: SPECS[task] for task, _ in executed}
    return write_results(folder, rows, videos=False, **{"checkpoint": checkpoint, "env_specs": specs, **changes})


def usage_of(*folders):
    read = [CodedResults.read(folder) for folder in folders]
    check_combinable(read)
    return CodebookUsage.of(read, codebook_size(read[0].checkpoint, None))


def test_counts_shares_and_divergences_are_exact(tmp_path, checkpoint):
    usage = usage_of(write_coded(tmp_path / "results", checkpoint))
    assert (usage.whole.episodes, usage.whole.steps, usage.episodes_without_codes) == (4, 130, 0)
    assert usage.whole.shares == pytest.approx(np.array([80, 0, 30, 0, 0, 20, 0, 0]) / 130)
    assert (usage.whole.used, usage.whole.dead) == (3, (1, 3, 4, 6, 7))
    assert {robot: (own.episodes, own.steps) for robot, own in usage.robots.items()} == {
        "viperx_bimanual-joint": (3, 90),
        "panda-ee": (1, 40),
    }
    arms = usage.tasks["insertion", "viperx_bimanual-joint"]
    assert arms.perplexity == pytest.approx(4 / 3**0.75) and arms.most_used(5) == {0: 0.75, 2: 0.25}
    assert usage.tasks[GOAL, "panda-ee"].perplexity == pytest.approx(2)
    order = [task for task, _ in usage.tasks]
    divergence = usage.task_divergences[order.index("transfer_cube"), order.index(GOAL)]
    assert divergence == pytest.approx(1)
    assert usage.robot_divergences.shape == (2, 2)


def test_several_folders_are_counted_together(tmp_path, checkpoint):
    executed = list(EXECUTED.items())
    parts = [write_coded(tmp_path / str(i), checkpoint, dict(executed[i : i + 2])) for i in (0, 2)]
    together, once = usage_of(*parts), usage_of(write_coded(tmp_path / "once", checkpoint))
    assert together.whole.shares.tolist() == once.whole.shares.tolist() and set(together.tasks) == set(once.tasks)


def test_a_task_with_two_robots_makes_two_groups(tmp_path, checkpoint):
    joint = write_coded(tmp_path / "joint", checkpoint, {(GOAL, 1): ((1, 4),)}, env_specs={GOAL: make_spec(task=GOAL)})
    usage = usage_of(write_coded(tmp_path / "ee", checkpoint, {(GOAL, 1): ((0, 4),)}), joint)
    assert list(usage.tasks) == [(GOAL, "panda-ee"), (GOAL, "viperx_bimanual-joint")]
    assert usage.task_divergences.tolist() == usage.robot_divergences.tolist() == [[0, 1], [1, 0]]


def test_episodes_without_codes_are_left_out_and_reported(tmp_path, checkpoint, capsys):
    folder = write_coded(tmp_path / "results", checkpoint, {**EXECUTED, ("insertion", 9): ()})
    main(CodeUsageConfig(results=(folder,), output=tmp_path / "codes.png"))
    assert "4 episodes, 130 steps\n1 episode without codes left out\n" in capsys.readouterr().out


def test_program_prints_tables_and_writes_image_and_json(tmp_path, checkpoint, capsys):
    output = tmp_path / "new" / "codes.png"
    main(CodeUsageConfig(results=(write_coded(tmp_path / "results", checkpoint),), output=output))
    output_text = capsys.readouterr().out
    assert (
        "3 of 8 codes used, 5 dead" in output_text
        and "between robots [bit]" in output_text
        and "between tasks [bit]" in output_text
    )
    assert "viperx_bimanual-joint  2         1.8         0: 75.0 %, 2: 25.0 %" in output_text
    assert "of 10,000 renamings [bit]" in output_text and "viperx_bimanual-joint, panda-ee  0." in output_text
    assert re.search(r"\n2, 3 +1\.000 +chance: 0\.\d{3} \(0\.\d{3} to 1\.000\), p 1\.00\n", output_text)  # disjoint
    with Image.open(output) as image:
        assert image.format == "PNG"
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


def test_image_has_bars_of_each_robot_and_the_colours_of_the_divergences(tmp_path, checkpoint):
    usage = usage_of(write_coded(tmp_path / "results", checkpoint))
    image = codebook_image(usage)
    colours = {*PALETTE[:2], *(divergence_colour(float(value)) for value in usage.task_divergences.ravel())}
    assert all((image == colour).all(-1).any() for colour in colours)
    assert all((edge == PAPER).all() for edge in (image[0], image[-1], image[:, 0], image[:, -1]))
    alone = codebook_image(usage_of(write_coded(tmp_path / "alone", checkpoint, {("insertion", 1): ((0, 3),)})))
    assert alone.shape[1] < image.shape[1] - 300


def test_bars_of_all_tasks_share_one_scale(tmp_path, checkpoint):
    image = codebook_image(usage_of(write_coded(tmp_path / "results", checkpoint)))[:, MARGIN + SWATCH :]
    arms, panda = ({*np.unique((image == colour).all(-1).sum(0))} - {0} for colour in PALETTE[:2])
    assert panda == {BARS / 2}  # both codes have half the share of the only code of transfer_cube
    assert arms == {BARS * 3 // 4, BARS // 4 + BARS}  # code 0 of insertion; code 2 of both, one above the other


@pytest.mark.parametrize("codes", [8, 64, 256, 2000])
def test_bars_fit_for_any_codebook_size(tmp_path, codes):
    checkpoint = write_checkpoint(tmp_path / "run", codes=codes)
    image = codebook_image(usage_of(write_coded(tmp_path / "a", checkpoint, {("insertion", 1): ((codes - 1, 3),)})))
    columns = np.flatnonzero((image[60:] == PALETTE[0]).all(-1).sum(0) > 20)
    assert 2 <= len(columns) <= 110 and columns[-1] < image.shape[1] - 18


def test_a_moved_checkpoint_must_be_given(tmp_path, checkpoint):
    folder = write_coded(tmp_path / "results", checkpoint)
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    config = CodeUsageConfig(results=(folder,), output=tmp_path / "codes.jpg", quiet=True)
    with pytest.raises(UsageError, match="--checkpoint RUN") as raised:
        main(config)
    assert raised.value.facts["path"] == checkpoint.path
    main(replace(config, checkpoint=moved / "checkpoints" / "7"))
    assert (tmp_path / "codes.jpg").is_file()


def test_another_checkpoint_is_refused(tmp_path, checkpoint):
    write_checkpoint(tmp_path / "other", b"others")
    with pytest.raises(UsageError) as raised:
        codebook_size(checkpoint, tmp_path / "other")
    assert raised.value.facts["expected"] == checkpoint.sha256


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("config.json", "{", CheckpointError),
        ("config.json", "[]", CheckpointError),
        ("config.json", '{"policy": "act", "config": {}}', UsageError),
        ("model.safetensors", None, CheckpointError),
        ("config.json", None, UsageError),
    ],
)
def test_a_checkpoint_without_codes_or_weights_is_refused(tmp_path, name, text, error):
    checkpoint = write_checkpoint(tmp_path / "run")
    file = tmp_path / "run" / name
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(error) as raised:
        codebook_size(checkpoint, None)
    assert str(raised.value.facts["path"]).startswith(str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("changes", "error", "facts"),
    [
        ({"executed": {("insertion", 1): ()}}, DatasetError, {}),
        ({"execution": "chunk:8 code:3"}, UsageError, {"got": "chunk:8 code:3"}),
        ({"checkpoint": None}, DatasetError, {}),
        ({"env_specs": {}}, DatasetError, {"expected": "insertion"}),
        ({"executed": {("insertion", 1): ((8, 3),)}}, DatasetError, {"seed": 1, "got": (8, 3)}),
        ({"executed": {("insertion", 1): ((1, 0),)}}, DatasetError, {"seed": 1, "got": (1, 0)}),
    ],
)
def test_results_whose_codes_cannot_be_counted_are_refused(tmp_path, checkpoint, changes, error, facts):
    folder = write_coded(tmp_path / "results", **{"checkpoint": checkpoint, **changes})
    with pytest.raises(error) as raised:
        usage_of(folder)
    assert raised.value.facts.items() >= facts.items()


def test_different_checkpoints_and_repeated_episodes_are_refused(tmp_path, checkpoint):
    folder = write_coded(tmp_path / "a", checkpoint)
    other = write_coded(tmp_path / "b", write_checkpoint(tmp_path / "other", b"others"))
    with pytest.raises(UsageError) as raised:
        usage_of(folder, other)
    assert raised.value.facts["path"] == other
    with pytest.raises(UsageError) as raised:
        usage_of(folder, folder)
    assert raised.value.facts["seed"] in (1, 2)


@pytest.mark.parametrize(("results", "output"), [((), "codes.png"), (("none",), "codes.png"), (("a",), "codes.gif")])
def test_wrong_flags_are_refused_before_anything_is_written(tmp_path, results, output):
    config = CodeUsageConfig(results=tuple(tmp_path / name for name in results), output=tmp_path / output)
    with pytest.raises(UsageError):
        main(config)
    assert list(tmp_path.iterdir()) == []
