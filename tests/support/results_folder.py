"""Hand-made results folders with small real videos, for tests of the gallery: no simulator, no policy."""

import json
from pathlib import Path

import numpy as np
from synthetic_episode import make_spec

from ambidex.benchmarks.gallery.report import write_report
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow, code_at
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.envs.types import Outcome
from ambidex.recorders.video.caption import Caption
from ambidex.recorders.video.writer import VideoWriter

STAGES = {
    "insertion": ("none", "touched", "lifted", "contacted", "inserted"),
    "transfer_cube": ("none", "touched", "lifted", "reached by left", "lifted with left"),
}
CHECKS = ("peg end at the pin", "axes within 10 degrees", "both off the table")
FIRST_SEED = 100_000
FPS = 50.0


def make_row(task="insertion", seed=FIRST_SEED, outcome="success", stage=4, *, policy="act", **changes):
    """A row as run-benchmark would write it."""
    bad = outcome != "success"
    reason = {"success": "", "failure": f"at the end not: {CHECKS[0]}", "error": "RuntimeError: the gripper fell off"}
    values = {
        "task": task,
        "seed": seed,
        "outcome": Outcome(outcome),
        "stage": stage,
        "stage_name": STAGES.get(task, STAGES["insertion"])[stage],
        "steps": 300 if outcome == "success" else 400,
        "checks": {name: not (bad and i == 0) for i, name in enumerate(CHECKS)},
        "reason": reason[outcome],
        "initial_state_sha256": f"{seed:064x}",
        "wall_s": 1.25,
        "policy": policy,
        "execution": "chunk:100",
        "versions": {"ambidex": "0.1.0", "mujoco": "4.0.0"},
        "error": reason[outcome] if outcome == "error" else "",
    }
    return EpisodeRow(**{**values, **changes})


def typical_rows(policy="act", *, lucky=0):
    """Two tasks of eight seeds with every outcome; the first `lucky` seeds succeed in any case."""
    plan = [
        ("failure", 2),
        ("success", 4),
        ("failure", 0),
        ("error", 1),
        ("success", 4),
        ("failure", 3),
        ("success", 4),
    ]
    rows = []
    for task in STAGES:
        for i, (outcome, stage) in enumerate([*plan, ("failure", 4)]):
            done = i < lucky
            rows.append(
                make_row(task, FIRST_SEED + i, "success" if done else outcome, 4 if done else stage, policy=policy)
            )
    return rows


def write_results(folder: Path, rows=None, *, videos=True, states=False, steps=60, size=(48, 64), fps=FPS, **changes):
    """Write a results folder of a finished run; returns it."""
    rows = typical_rows() if rows is None else rows
    tasks = list(dict.fromkeys(row.task for row in rows)) or ["insertion"]
    episodes = len(rows) // len(tasks)
    policy = rows[0].policy if rows else "act"
    values = {
        "policy": policy,
        "execution": "chunk:100",
        "command": f"run-benchmark --policy {policy} --checkpoint runs/{policy} --suite aloha --episodes {episodes} "
        f"--seed {FIRST_SEED} --spread published --execution chunk",
        "checkpoint": None,
        "serving": None,
        "env_specs": {task: make_spec(task=task, stages=STAGES.get(task, STAGES["insertion"])) for task in tasks},
        "versions": {"ambidex": "0.1.0", "mujoco": "4.0.0"},
        "machine": {"processor": "test"},
    }
    info = BenchmarkInfo(**{**values, **changes})
    folder.mkdir(parents=True, exist_ok=True)
    info.write(folder)
    (folder / "results.jsonl").write_text("".join(row.to_line() + "\n" for row in rows))
    for row in rows:
        if videos:
            write_video(ResultsFolder(folder).video_path(row), row, steps=steps, size=size, fps=fps)
        if states:
            write_states(folder, row)
    return folder


def report_of(folder: Path) -> Path:
    """Write report.html of a results folder; returns it."""
    return write_report(ResultsFolder(folder)).path


def write_video(path: Path, row: EpisodeRow, *, steps=60, size=(48, 64), fps=FPS):
    """A disc that moves to the right; the background colour depends on the seed."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    hue = np.random.default_rng(row.seed).integers(40, 160, 3)
    with VideoWriter(path, fps) as video:
        for t in range(steps):
            frame = np.tile(hue.astype(np.uint8), (height, width, 1))
            centre = width * (t + 0.5) / steps
            frame[(rows - height / 2) ** 2 + (columns - centre) ** 2 < (height / 6) ** 2] = (250, 250, 240)
            outcome = str(row.outcome) if t == steps - 1 else ""
            time_s = t / fps
            said = {"stage": row.stage_name, "outcome": outcome, "code": code_at(row.codes, round(FPS * time_s))}
            video.add({"top": frame}, Caption(task=row.task, seed=row.seed, time_s=time_s, **said))


def write_states(folder: Path, row: EpisodeRow, *, steps=12):
    """States of a real simulation at rest, so that they can be rendered."""
    from ambidex.envs.env import make

    state = make(row.task, cameras=()).reset(row.seed).state
    states = EpisodeStates(
        states=np.tile(state, (steps + 1, 1)),
        actions=np.zeros((steps, 14), np.float32),
        stages=np.zeros(steps + 1, np.int8),
    )
    states.write(ResultsFolder(folder).states_path(row.task, row.seed))


def rewrite_row(folder: Path, index: int, **changes):
    """Change one row of results.jsonl in place, without any check."""
    path = folder / "results.jsonl"
    lines = path.read_text().splitlines()
    lines[index] = json.dumps({**json.loads(lines[index]), **changes})
    path.write_text("\n".join(lines) + "\n")
