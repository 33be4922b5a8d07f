"""A tiny policy whose answers depend on every bit of its inputs, defective variants of it, and observations."""

import json

import numpy as np
import torch
from synthetic_episode import make_spec
from torch import nn

from ambidex.envs.types import Observation
from ambidex.errors import UsageError
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.policy import CodedPolicy, Policy

SEED_OF_WEIGHTS = 7
CHUNK = 50
CODES = 24


class ToyPolicy(Policy):
    """Stays near its joint positions; uses one small camera unless told otherwise."""

    name = "act"
    chunk_size = CHUNK

    def __init__(self, spec, *, cameras=("top",), objects=False):
        super().__init__()
        self.spec = spec
        self.inputs = PolicyInputs(cameras=cameras, objects=objects, instruction=False)
        torch.manual_seed(SEED_OF_WEIGHTS)
        width = len(spec.joint_names)
        self.hidden = nn.Linear(width + 7 * len(spec.object_names) + 3 * len(cameras), 64)
        self.head = nn.Linear(64, CHUNK * len(spec.action_names))

    def losses(self, batch):
        raise NotImplementedError

    def predict(self, observation):
        colours = [observation.images[camera].float().mean((2, 3)) / 255 for camera in self.inputs.cameras]
        inputs = torch.cat([observation.qpos, observation.objects, *colours], 1)
        moves = self.head(torch.tanh(self.hidden(inputs))).view(len(inputs), CHUNK, -1)
        return observation.qpos[:, None] + 0.1 * moves


class CodedToyPolicy(CodedPolicy, ToyPolicy):
    """Makes each chunk from one of `CODES` codes, which depends on the joints."""

    code = None

    def predict_with_codes(self, observation):
        codes = (1000 * observation.qpos.abs().sum(1)).long() % CODES
        codes = codes if self.code is None else torch.full_like(codes, self.code)
        return ToyPolicy.predict(self, observation) + 0.01 * codes[:, None, None], codes

    def fix_code(self, code):
        if not 0 <= code < CODES:
            raise UsageError(f"code {code}: there are {CODES}")
        self.code = code


class NeighbourDependentPolicy(ToyPolicy):
    """Its answers depend on the other rows of the batch."""

    def predict(self, observation):
        return super().predict(observation) + observation.qpos.mean()


class RowDependentPolicy(ToyPolicy):
    """Its answers depend on the row in the batch."""

    def predict(self, observation):
        return super().predict(observation) + torch.arange(len(observation))[:, None, None]


class RandomPolicy(ToyPolicy):
    """Its answers are random."""

    def predict(self, observation):
        chunk = super().predict(observation)
        return chunk + torch.randn_like(chunk)


class FailingPolicy(ToyPolicy):
    """Raises on one kind of observation, and answers another with NaN."""

    def predict(self, observation):
        if (observation.qpos[:, 0] > 9).any():
            raise ValueError("this is no arm")
        chunk = super().predict(observation)
        chunk[observation.qpos[:, 0] < -9] = torch.nan
        return chunk


def toy_spec(task="insertion", **changes):
    """The spec of a policy for small images that tests render quickly."""
    return make_spec(**{"task": task, "cameras": ("top",), "image_size": (24, 32), **changes})


def observation(seed, rendered=None, **changes):
    """A random observation; `rendered` collects the cameras that are rendered."""
    rng = np.random.default_rng(seed)

    def render(state, camera):
        if rendered is not None:
            rendered.append(camera)
        return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)

    values = {
        "time": 0.0,
        "state": rng.normal(size=5),
        "qpos": rng.normal(size=14),
        "qvel": rng.normal(size=14),
        "objects": rng.normal(size=14),
        "instruction": "do it",
        "camera_names": ("top", "left_wrist"),
        "render": render,
    }
    return Observation(**{**values, **changes})


def write_checkpoint(folder, weights=b"toy"):
    """A folder that is taken for a checkpoint; its content is never loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"policy": "act"}))
    (folder / "env_spec.json").write_text(json.dumps({"task": "insertion"}))
    (folder / "model.safetensors").write_bytes(weights)
    return folder
