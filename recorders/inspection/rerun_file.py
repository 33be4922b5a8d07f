"""Writes the episodes of a dataset into a recording for the viewer Rerun (https://rerun.io)."""

from collections.abc import Sequence
from pathlib import Path, PurePath
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from ambidex.atomic_files import replacing
from ambidex.envs.types import Episode, Outcome
from ambidex.errors import MissingPackageError, UsageError
from ambidex.progress import Progress
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.formats.images import encode_jpeg
from ambidex.recorders.formats.registry import open_episode
from ambidex.recorders.inspection.inspect import Inspection, Track

try:
    import rerun
    from rerun import blueprint
except ModuleNotFoundError as missing:
    raise MissingPackageError(missing, "rerun", "--rerun") from missing

ENDING = ".rrd"
BLOCK = 64  # frames of a camera that are held in memory
FIRST_BYTES = 1 << 16  # written as a trial, because Rerun waits forever if it cannot write the first ones

Parts = tuple[str, ...]
"""An entity's path: the episode, then what is logged of it."""


def write_rerun(path: Path, inspection: Inspection, tracks: Sequence[Track], *, quiet: bool = False) -> None:
    """Write an .rrd file; every episode is an entity of its own and starts at step 0.

    Under `<episode>/` are images/<camera> (JPEG), state/<dimension>, action/<dimension>, events (stages and the
    outcome) and instruction, over the time lines `step` and `time` [s].

    Raises:
        UsageError: The name of the file does not end in .rrd.
        DatasetError: It cannot be written, or a frame is damaged.
    """
    if path.suffix != ENDING:
        raise UsageError(f"--rerun {path}: expected a name that ends in {ENDING}.", path=path, expected=ENDING)
    with replacing(path) as temporary, Progress(path.name, len(tracks), quiet=quiet) as progress:
        recording = rerun.RecordingStream("ambidex", recording_id=uuid4())  # else all of a process are one recording
        try:
            temporary.write_bytes(bytes(FIRST_BYTES))
            recording.save(temporary)
            recording.send_recording_name(inspection.path)
            recording.send_blueprint(blueprint.Tabs(*(_tab(track, inspection) for track in tracks)))
            for done, track in enumerate(tracks, 1):
                with open_episode(track.path) as stored:
                    _send_episode(recording, _parts(track), stored)
                progress.update(done)
        except RuntimeError as error:  # of the thread that writes the file
            raise OSError(str(error)) from error
        finally:
            recording.disconnect()


def _parts(track: Track) -> Parts:
    return tuple(PurePath(part).stem for part in PurePath(track.name).parts)


def _tab(track: Track, inspection: Inspection) -> blueprint.Container:
    """The views of one episode."""
    parts = _parts(track)
    cameras = [
        blueprint.Spatial2DView(origin=_entity(*parts, "images", camera), name=camera) for camera in inspection.cameras
    ]
    plots = [blueprint.TimeSeriesView(origin=_entity(*parts, kind), name=kind) for kind in ("state", "action")]
    instruction = blueprint.TextDocumentView(origin=_entity(*parts, "instruction"), name="instruction")
    events = blueprint.TextLogView(origin=_entity(*parts, "events"), name="events")
    return blueprint.Grid(*cameras, *plots, instruction, events, name="/".join(parts))


def _entity(*parts: str) -> str:
    return str(rerun.new_entity_path(list(parts)))


def _send_episode(recording: rerun.RecordingStream, parts: Parts, stored: StoredEpisode) -> None:
    episode, spec = stored.episode, stored.spec
    recording.log(_entity(*parts, "instruction"), rerun.TextDocument(spec.instruction), static=True)
    for kind, names, values in (
        ("state", spec.joint_names, episode.qpos),
        ("action", spec.action_names, episode.actions),
    ):
        for name, column in zip(names, values.T, strict=True):
            times = _times(np.arange(len(column)), spec.control_hz)
            recording.send_columns(_entity(*parts, kind, name), times, rerun.Scalars.columns(scalars=column))
    _send_events(recording, _entity(*parts, "events"), episode)
    for camera in stored.cameras:
        _send_images(recording, _entity(*parts, "images", camera), stored, camera)
    recording.flush()


def _send_events(recording: rerun.RecordingStream, entity: str, episode: Episode) -> None:
    """Log each change of the stage, and the outcome after the last step."""
    changes = np.flatnonzero(np.diff(episode.stages, prepend=episode.stages.dtype.type(0)))
    texts = [f"stage {episode.spec.stages[episode.stages[step]]}" for step in changes]
    level = rerun.TextLogLevel.INFO if episode.outcome is Outcome.SUCCESS else rerun.TextLogLevel.WARN
    recording.send_columns(
        entity,
        _times(np.append(changes, episode.steps), episode.spec.control_hz),
        rerun.TextLog.columns(
            text=[*texts, str(episode.outcome)], level=[*[rerun.TextLogLevel.INFO] * len(texts), level]
        ),
    )


def _send_images(recording: rerun.RecordingStream, entity: str, stored: StoredEpisode, camera: str) -> None:
    for start in range(0, stored.steps, BLOCK):
        steps = np.arange(start, min(start + BLOCK, stored.steps))
        jpegs = [encode_jpeg(stored.frame(camera, int(step))) for step in steps]
        columns = rerun.EncodedImage.columns(blob=jpegs, media_type=["image/jpeg"] * len(jpegs))
        recording.send_columns(entity, _times(steps, stored.spec.control_hz), columns)
        recording.flush()  # waits until they are in the file


def _times(steps: npt.NDArray[np.int64], control_hz: float) -> list[rerun.TimeColumn]:
    return [rerun.TimeColumn("step", sequence=steps), rerun.TimeColumn("time", duration=steps / control_hz)]
