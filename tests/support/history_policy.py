"""Policies with a history: they show what they saw, or depend on every bit of it; and an agent that needs no server."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from ambidex.envs.types import NO_CODE
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.messages import Chunk, PolicyInputs
from ambidex.policies.policy import Policy
from ambidex.policies.serving.execution import ChunkExecution, EnsembleExecution

SEED_OF_WEIGHTS = 11
CHUNK = 6
FEATURES = 8


class HistoryPolicy(Policy):
    """Moves a little from its joint positions, linearly in windows of observations."""

    name = "act"
    chunk_size = CHUNK

    def __init__(self, spec, *, history=3, stride=1, cameras=(), objects=False):
        super().__init__()
        self.spec = spec
        self.inputs = PolicyInputs(cameras=cameras, objects=objects, instruction=False, history=history, stride=stride)
        torch.manual_seed(SEED_OF_WEIGHTS)
        width = len(spec.joint_names) + 7 * len(spec.object_names) + 1 + FEATURES * bool(cameras)
        self.head = nn.Linear(history * width, CHUNK * len(spec.action_names))
        self.eye = nn.Linear(3 * max(1, len(cameras)), FEATURES)

    def losses(self, batch):
        raise NotImplementedError

    def predict(self, observation):
        valid = observation.valid[..., None].float()
        parts = [observation.qpos * valid, observation.objects * valid, valid]
        if self.inputs.cameras:
            parts.append(self.features(observation) * valid)
        moves = self.head(torch.cat(parts, -1).flatten(1)).view(len(observation), CHUNK, -1)
        return observation.qpos[:, -1:] + 0.1 * torch.tanh(moves)

    def features(self, observation):
        colours = [observation.images[camera].float().mean((-2, -1)) / 255 for camera in self.inputs.cameras]
        return torch.sin(30 * self.eye(torch.cat(colours, -1)))


class EncodingPolicy(HistoryPolicy):
    """Its features of frames are computed once; `encoded` counts the rows of the passes."""

    def __init__(self, spec, **options):
        super().__init__(spec, **{"cameras": ("top",), **options})
        self.encoded = []

    def encode_frames(self, observation):
        self.encoded.append(len(observation))
        return super().features(observation)

    def features(self, observation):
        return super().features(observation) if observation.encoded_frames is None else observation.encoded_frames


class ShowingPolicy(EncodingPolicy):
    """The first action is what it saw: the first joint of each position, then whether it is valid, then its colour.

    Colours are the mean of an image, of which each frame has one; encoded frames are 1000 more.
    """

    def predict(self, observation):
        colours = torch.zeros_like(observation.qpos[..., 0])
        if observation.encoded_frames is not None:
            assert not observation.images
            colours = observation.encoded_frames[..., 0]
        elif self.inputs.cameras:
            colours = observation.images[self.inputs.cameras[0]].float().mean((-3, -2, -1))
        seen = torch.cat((observation.qpos[..., 0], observation.valid.float(), colours), -1)  # (B, 3 H)
        return nn.functional.pad(seen[:, None].repeat(1, CHUNK, 1), (0, 40 - seen.shape[1]))

    def encode_frames(self, observation):
        self.encoded.append(len(observation))
        return 1000 + observation.images["top"].float().mean((-3, -2, -1))[:, None]


class LookingShowingPolicy(ShowingPolicy):
    """Encodes no frames."""

    def encode_frames(self, observation):
        return None


class NeighbourEncodingPolicy(ShowingPolicy):
    """A frame's features depend on the others of the pass."""

    def encode_frames(self, observation):
        features = super().encode_frames(observation)
        return features + features.mean()


class RowEncodingPolicy(ShowingPolicy):
    """A frame's features depend on its row in the pass."""

    def encode_frames(self, observation):
        features = super().encode_frames(observation)
        return features + torch.arange(len(features))[:, None]


class RememberingAgent:
    """Acts by a history policy as the definition says: it keeps all observations, and each prediction starts anew."""

    def __init__(self, policy, execution="chunk", steps=None):
        self.policy = policy
        kinds = {"chunk": ChunkExecution, "ensemble": EnsembleExecution}
        self.chunks = (
            ChunkExecution(self.predict, 1)
            if execution == "first"
            else kinds[execution](self.predict, *([steps] if steps else []))
        )

    def reset(self, observation, seed):
        self.seen = []
        self.chunks.reset(observation, seed)

    def act(self, observation):
        self.seen.append(observation)
        return self.chunks.act(observation)

    @torch.inference_mode()
    def predict(self, observation):
        inputs, now = self.policy.inputs, len(self.seen) - 1
        steps = [now - inputs.stride * age for age in range(inputs.history - 1, -1, -1)]
        singles = [self.single(self.seen[max(0, step)]) for step in steps]
        encoded = [self.policy.encode_frames(single) for single in singles]
        batch = ObservationBatch(
            qpos=torch.stack([single.qpos for single in singles], 1),
            objects=torch.stack([single.objects for single in singles], 1),
            images=self.images(singles) if encoded[0] is None else {},
            instructions=singles[-1].instructions,
            valid=torch.tensor([[step >= 0 for step in steps]]),
            encoded_frames=None if encoded[0] is None else torch.stack(encoded, 1),
        )
        return Chunk(actions=self.policy.predict(batch)[0].numpy(), code=NO_CODE)

    def images(self, singles) -> Mapping[str, torch.Tensor]:
        return {
            camera: torch.stack([single.images[camera] for single in singles], 1)
            for camera in self.policy.inputs.cameras
        }

    def single(self, observation):
        objects = torch.from_numpy(observation.objects.astype(np.float32))[None]
        images = {
            camera: torch.from_numpy(observation.image(camera).copy()).permute(2, 0, 1)[None]
            for camera in self.policy.inputs.cameras
        }
        return ObservationBatch(
            qpos=torch.from_numpy(observation.qpos.astype(np.float32))[None],
            objects=objects if self.policy.inputs.objects else torch.zeros_like(objects),
            images=images,
            instructions=(observation.instruction if self.policy.inputs.instruction else "",),
        )
