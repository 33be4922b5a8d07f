"""Small recorded datasets without a simulator."""

from synthetic_episode import make_episode, make_frames, make_spec

from ambidex.envs.types import Outcome
from ambidex.policies.data.dataset import read_tables
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.act import episode_path, write_episode
from ambidex.recorders.formats.registry import read_episode

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


def write_twins(folder, groups=3):
    """A dataset without images of twice so many episodes, of which two each have the same initial state."""
    write_dataset(folder, lengths=(4, 5) * groups, first_seed=100, **STATES)
    for index in range(1, 2 * groups, 2):
        first, twin = (read_episode(episode_path(folder, number)) for number in (index - 1, index))
        twin.states[0] = first.states[0]
        write_episode(episode_path(folder, index), twin, {}, "lossless")
    return folder


def read_table(folders, exclude=()):
    """The successful episodes of datasets of one embodiment."""
    (table,) = read_tables(folders, multi_embodiment=False, exclude=exclude)
    return table
