"""Hand-made dataset folders whose states are those of a real scene at rest, so that they can be rendered."""

import dataclasses

import numpy as np
from synthetic_episode import make_episode

from ambidex.atomic_files import append_line
from ambidex.envs.env import make
from ambidex.envs.types import Outcome
from ambidex.output_folder import row_to_line
from ambidex.recorders.dataset.attempts import ATTEMPTS, Attempt
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.dataset.layout import FAILURES
from ambidex.recorders.formats.act import episode_path, write_episode

COMMAND = (
    "record-episodes --task {task} --num-episodes 2 --control joint --cameras none --image-size 480 640 "
    "--render-quality standard --storage lossless --format act --spread published --noise 0.0 --seed 0 "
    "--max-attempts 24 --video none"
)
ATTEMPTED = (Outcome.SUCCESS, Outcome.ERROR, Outcome.FAILURE, Outcome.SUCCESS)


def write_dataset(folder, task="insertion", *, steps=12, keep_failures=True):
    """Four attempts, of which seeds 0 and 3 succeeded, 1 raised an error and 2 failed; returns the folder."""
    env = make(task, cameras=())
    folder.mkdir(parents=True, exist_ok=True)
    stored = 0
    for seed, outcome in enumerate(ATTEMPTED):
        success = outcome is Outcome.SUCCESS
        stage = 4 if success else 1
        if success or (keep_failures and outcome is Outcome.FAILURE):
            path = episode_path(folder, stored) if success else episode_path(folder / FAILURES, seed)
            write_episode(path, _episode(env, seed, outcome, stage, steps), {}, "lossless")
        attempt = Attempt(
            seed=seed, outcome=outcome, stage=stage, stage_name=env.spec.stages[stage],
            reason="" if success else f"at the end not: {task} done", steps=steps,
            episode=stored if success else None, wall_s=0.5,
        )  # fmt: skip
        append_line(folder / ATTEMPTS, row_to_line(attempt, ATTEMPTS))
        stored += success
    DatasetInfo(
        env_spec=env.spec, command=COMMAND.format(task=task), versions={"ambidex": "0.1.0"}, format="act",
        storage="lossless", attempts=4, successes=2, failures=1, errors=1, episodes=2, complete=True, timings={},
    ).write(folder)  # fmt: skip
    return folder


def _episode(env, seed, outcome, stage, steps):
    state = env.reset(seed).state
    episode = make_episode(steps=steps, spec=env.spec, seed=seed, outcome=outcome, stage=stage)
    return dataclasses.replace(episode, states=np.tile(state, (steps + 1, 1)))
