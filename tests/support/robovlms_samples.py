"""Small RoboVLMs policies and batches of random numbers, for the bimanual robot and for LIBERO's."""

import dataclasses

import numpy as np
import torch
from synthetic_episode import make_spec

from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.robovlms.config import HEADS, RoboVlmsConfig
from ambidex.policies.robovlms.policy import RoboVlmsPolicy

CHUNK = 4
HISTORY = 2
EE = tuple(f"panda_{name}" for name in ("dx", "dy", "dz", "drx", "dry", "drz", "gripper"))
PANDA_JOINTS = tuple(f"panda_{name}" for name in (*range(7), "gripper"))
ALOHA = make_spec(cameras=("top",), image_size=(32, 40))
LIBERO = dataclasses.replace(
    ALOHA,
    family="libero",
    robot="panda",
    control="ee",
    control_hz=20.0,
    cameras=("agentview",),
    action_names=EE,
    joint_names=PANDA_JOINTS,
    instruction="open the drawer; put the bowl on the plate",
)
COMBINATIONS = [(structure, head) for structure, heads in HEADS.items() for head in heads]
SMALL = {
    "backbone": "scratch",
    "backbone_size": "tiny",
    "backbone_weights": "none",
    "proprioception": True,
    "stride": 2,
    "chunk_size": CHUNK,
    "head_width": 64,
    "head_layers": 2,
    "head_heads": 4,
    "huber_delta": 1.0,
    "gripper_weight": 0.1,
}


def make_config(structure="policy_head_continuous", head="auto", **changes):
    history = 1 if structure.startswith("one_step") else HISTORY
    return RoboVlmsConfig(**{**SMALL, "history": history, "structure": structure, "head": head, **changes})


def make_statistics(spec=ALOHA, seed=0):
    rng = np.random.default_rng(seed)
    sizes = (len(spec.joint_names), 7 * len(spec.object_names), len(spec.action_names))
    qpos, objects, actions = (FieldStatistics.of(rng.normal(0, 1, (200, size)).astype(np.float32)) for size in sizes)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def make_policy(structure="policy_head_continuous", head="auto", *, spec=ALOHA, seed=0, **changes):
    torch.manual_seed(seed)
    return RoboVlmsPolicy(make_config(structure, head, **changes), spec, make_statistics(spec))


def make_observation(policy, size=3, *, seed=0):
    """Windows of which the first is complete, and each other one has one observation less than the one before."""
    generator = torch.Generator().manual_seed(seed)
    spec, history = policy.spec, policy.inputs.history
    rows = (size,) if history == 1 else (size, history)
    present = (history - torch.arange(size)).clamp(min=1)
    valid = torch.arange(history) >= history - present[:, None]
    first = (history - present)[:, None]  # position of the oldest observation, which earlier positions repeat
    places = torch.maximum(torch.arange(history), first)
    instructions = spec.instruction.split("; ")

    def windows(values):
        if history == 1:
            return values
        return values.take_along_dim(places.view(size, history, *[1] * (values.ndim - 2)), dim=1)

    return ObservationBatch(
        qpos=windows(torch.randn(*rows, len(spec.joint_names), generator=generator)),
        objects=torch.zeros(*rows, 7 * len(spec.object_names)),
        images={
            camera: windows(torch.randint(256, (*rows, 3, *spec.image_size), dtype=torch.uint8, generator=generator))
            for camera in policy.inputs.cameras
        },
        instructions=tuple(instructions[i % len(instructions)] for i in range(size)),
        valid=None if history == 1 else valid,
    )


def make_batch(policy, size=3, *, seed=0):
    """The first sample has no padding at its end, the others have some."""
    generator = torch.Generator().manual_seed(seed + 1)
    observation = make_observation(policy, size, seed=seed)
    rows, chunk = observation.qpos.shape[:-1], policy.chunk_size
    actions = torch.randn(*rows, chunk, len(policy.spec.action_names), generator=generator)
    steps = torch.tensor([chunk, *torch.randint(1, chunk, (size - 1,), generator=generator).tolist()])
    is_pad = (torch.arange(chunk) >= steps[:, None]).view(size, *[1] * (len(rows) - 1), chunk).expand(*rows, chunk)
    if observation.valid is not None:
        is_pad = is_pad | ~observation.valid[..., None]
    return TrainingBatch(observation=observation, actions=actions, is_pad=is_pad)
