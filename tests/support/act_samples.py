"""Small ACT policies and batches of random numbers."""

import numpy as np
import torch
from synthetic_episode import make_spec

from ambidex.policies.act.config import ActConfig
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.normalization import FieldStatistics, Statistics

JOINTS = 14
OBJECTS = 14
CHUNK = 8
CAMERAS = ("top", "left_wrist", "right_wrist", "front_close")


def make_statistics(seed=0):
    rng = np.random.default_rng(seed)
    fields = [rng.normal(0.5, 2.0, (50, size)).astype(np.float32) for size in (JOINTS, OBJECTS, JOINTS)]
    qpos, objects, actions = (FieldStatistics.of(field) for field in fields)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


SMALL = {
    "chunk_size": CHUNK,
    "d_model": 32,
    "heads": 4,
    "feedforward": 48,
    "encoder_layers": 2,
    "cvae_layers": 2,
    "latent": 4,
    "dropout": 0.0,
    "backbone_width": 8,
    "backbone_norm": "layer",
    "backbone_weights": "none",
}


def make_config(**changes):
    return ActConfig(**{**SMALL, **changes})


def make_policy(*, cameras=CAMERAS, seed=0, statistics=None, **changes):
    torch.manual_seed(seed)
    spec = make_spec(cameras=cameras, image_size=(48, 64))
    return ActPolicy(make_config(**changes), spec, statistics or make_statistics())


def make_observation(size=3, *, cameras=CAMERAS, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (size, 3, 48, 64)
    return ObservationBatch(
        qpos=torch.randn(size, JOINTS, generator=generator),
        objects=torch.randn(size, OBJECTS, generator=generator),
        images={
            camera: torch.randint(256, shape, dtype=torch.uint8, generator=generator).to(
                memory_format=torch.channels_last
            )
            for camera in cameras
        },
        instructions=("insert",) * size,
    )


def make_batch(size=3, *, cameras=CAMERAS, seed=0):
    """The first sample has no padding, the others have some."""
    generator = torch.Generator().manual_seed(seed + 1)
    steps = torch.tensor([CHUNK, *torch.randint(1, CHUNK, (size - 1,), generator=generator).tolist()])
    return TrainingBatch(
        observation=make_observation(size, cameras=cameras, seed=seed),
        actions=torch.randn(size, CHUNK, JOINTS, generator=generator),
        is_pad=torch.arange(CHUNK)[None] >= steps[:, None],
    )


def losses(policy, batch, seed=0):
    """The losses with the same samples of the latent variable each time."""
    torch.manual_seed(seed)
    return policy.train().losses(batch)


def open_gates(policy, value=0.5):
    for name, parameter in policy.named_parameters():
        if name.endswith(".gate"):
            torch.nn.init.constant_(parameter, value)
