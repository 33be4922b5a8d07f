"""What a dataset folder already holds, for `--resume`."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import changed_flags
from ambidex.output_folder import versions
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.dataset import ATTEMPTS, read_attempts
from ambidex.recorders.dataset.files import check_kept
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig

MAY_GROW = frozenset({"num_episodes", "max_attempts"})
IN_SPEC = frozenset({"init_states"})  # compared there, by what is in the file


@dataclass(frozen=True, kw_only=True)
class Past:
    """What earlier runs have done.

    Attributes:
        attempts: The settled attempts, in the order of their seeds.
        complete: dataset.json says that everything asked for was recorded.
        num_episodes: How many episodes were asked for.
    """

    attempts: tuple[Attempt, ...] = ()
    complete: bool = False
    num_episodes: int = 0


def read_past(directory: Path, config: RecordConfig, spec: EnvSpec, model_sha256: str) -> Past:
    """What earlier runs have done in a folder; nothing if it holds no dataset.

    Args:
        directory: The dataset's folder.
        config: Resolved config of this run.
        spec: Spec of its environment.
        model_sha256: Fingerprint of its model.

    Raises:
        UsageError: They recorded something else; the message lists every difference.
        DatasetError: The folder or an episode in it is damaged.
    """
    if not (directory / DATASET_JSON).exists():
        return Past()
    info = DatasetInfo.read(directory)
    old = info.settings("record-episodes", RecordConfig)
    found = _differences(info, old, config, spec)
    _check_agreement(directory, found)
    check_kept(directory, format_named(info.format))
    _check_agreement(directory, _model_difference(directory, info, model_sha256))
    attempts = tuple(read_attempts(directory))
    _check_attempts(directory, config, attempts)
    return Past(attempts=attempts, complete=info.complete, num_episodes=old.num_episodes)


def _differences(info: DatasetInfo, old: RecordConfig, new: RecordConfig, spec: EnvSpec) -> list[str]:
    found = changed_flags(old, new, ignore=RUN_ONLY | MAY_GROW | IN_SPEC)
    if new.num_episodes < old.num_episodes:
        found.append(f"--num-episodes was {old.num_episodes}, now {new.num_episodes}: it may only grow")
    engine, now = info.versions.get("mujoco"), versions()["mujoco"]
    if engine != now:
        found.append(f"MuJoCo was {engine}, now {now}")
    return found or info.env_spec.differences(spec)


def _model_difference(directory: Path, info: DatasetInfo, model_sha256: str) -> list[str]:
    layout = format_named(info.format)
    first = layout.find(directory).get(0)
    if first is None:
        return []
    with layout.open(first) as stored:
        if stored.episode.model_sha256 == model_sha256:
            return []
    return ["the robot, the objects or the scene have changed (another model fingerprint)"]


def _check_agreement(directory: Path, found: list[str]) -> None:
    if found:
        raise UsageError(
            f"--resume: {directory} was recorded differently: {'; '.join(found)}. Give the same flags as then, or "
            "record into another --output-dir."
        )


def _check_attempts(directory: Path, config: RecordConfig, attempts: tuple[Attempt, ...]) -> None:
    episode = 0
    for seed, attempt in enumerate(attempts, start=config.seed):
        expected = episode if attempt.outcome is Outcome.SUCCESS else None
        if attempt.seed != seed or attempt.episode != expected:
            raise DatasetError(
                f"{directory / ATTEMPTS}, row {seed - config.seed + 1}: seed {attempt.seed}, episode "
                f"{attempt.episode}; expected seed {seed}, episode {expected}. The file was changed after recording; "
                "restore it, or record again into another folder."
            )
        episode += attempt.outcome is Outcome.SUCCESS
