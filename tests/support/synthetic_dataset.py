"""Small recorded datasets without a simulator."""

from synthetic_episode import make_episode, make_frames, make_spec

from ambidex.envs.types import Outcome
from ambidex.policies.data.dataset import read_tables
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.act import episode_path, write_episode

STATES = {"cameras": ()}


def write_dataset(folder, *, lengths=(7, 5, 9, 6), failed=(), first_seed=0, **spec):
    """A dataset whose episodes have these lengths; those of `failed` did not succeed."""
    spec = make_spec(**spec)
    for index, steps in enumerate(lengths):
        outcome = Outcome.FAILURE if index in failed else Outcome.SUCCESS
        episode = make_episode(spec=spec, steps=steps, seed=first_seed + index, outcome=outcome)
        write_episode(episode_path(folder, index), episode, make_frames(episode), "lossless")
    DatasetInfo(
        env_spec=spec,
        command="record-episodes --task insertion",
        versions={"ambidex": "0.1.0"},
        format="act",
        storage="lossless",
        attempts=len(lengths),
        successes=len(lengths) - len(failed),
        failures=len(failed),
        errors=0,
        episodes=len(lengths),
        complete=True,
        timings={},
    ).write(folder)
    return folder


def read_table(folders):
    """The successful episodes of datasets of one embodiment."""
    (table,) = read_tables(folders, multi_embodiment=False)
    return table
