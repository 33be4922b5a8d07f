"""Small episodes for tests of files: random numbers and smooth images, no simulator."""

import dataclasses

import numpy as np

from ambidex.envs.types import EnvSpec, Episode, Outcome
from ambidex.recorders.formats.act import FIELDS

JOINTS = tuple(f"{arm}_{name}" for arm in ("left", "right") for name in (*range(6), "gripper"))


def make_spec(**changes):
    spec = EnvSpec(
        task="insertion",
        family="aloha",
        robot="viperx_bimanual",
        control="joint",
        control_hz=50.0,
        horizon=400,
        spread="published",
        cameras=("top", "left_wrist"),
        image_size=(24, 32),
        render_quality="standard",
        instruction="insert the peg into the socket",
        stages=("none", "touched", "lifted", "contacted", "inserted"),
        action_names=JOINTS,
        joint_names=JOINTS,
        object_names=("peg", "socket"),
    )
    return dataclasses.replace(spec, **changes)


def make_episode(*, steps=6, spec=None, seed=3, **changes):
    rng = np.random.default_rng(seed)

    def random(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    episode = Episode(
        spec=spec or make_spec(),
        seed=seed,
        outcome=Outcome.SUCCESS,
        stage=4,
        qpos=random(steps, 14),
        qvel=random(steps, 14),
        objects=random(steps, 14),
        joint_actions=random(steps, 14),
        ee_actions=random(steps, 16),
        states=rng.standard_normal((steps + 1, 60)),
        stages=np.arange(steps + 1, dtype=np.int8) % 5,
        model_sha256="ab" * 32,
        versions={"mujoco": "4.0.0", "ambidex": "0.1.0"},
    )
    return dataclasses.replace(episode, **changes)


def make_frames(episode):
    """Camera -> T smooth images, all different, with different channels."""
    height, width = episode.spec.image_size
    rows, columns = np.mgrid[:height, :width]
    return {
        camera: [
            np.stack([rows * 4 + t * 5, columns * 3 + i * 20, 250 - rows * 2 - t * 3], axis=-1)
            .clip(0, 255)
            .astype("u1")
            for t in range(episode.steps)
        ]
        for i, camera in enumerate(episode.spec.cameras)
    }


def same(a, b):
    """Whether two episodes agree in every field, bit for bit and type for type."""
    arrays = [(getattr(a, field.name), getattr(b, field.name)) for field in FIELDS]
    values = [(getattr(a, n), getattr(b, n)) for n in ("spec", "seed", "outcome", "stage", "model_sha256")]
    return (
        all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in arrays)
        and all(x == y for x, y in values)
        and dict(a.versions) == dict(b.versions)
    )
