"""Forward passes of one fixed batch size, so that an answer does not depend on other requests (docs/decisions/0010)."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch

from ambidex.envs.types import NO_CODE
from ambidex.errors import UsageError
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.policy import CodedPolicy, Policy
from ambidex.policies.serving.client import ErrorReply
from ambidex.policies.serving.history import Frame, FrameWindow, Request
from ambidex.recorders.dataset.info import INSTRUCTION_SEPARATOR

_ACCELERATOR_ERROR = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)  # since torch 2.8
MACHINE_ERRORS: tuple[type[Exception], ...] = (MemoryError, torch.OutOfMemoryError, _ACCELERATOR_ERROR)
GPU_BATCH_SIZE = 8
FURTHER = 1000  # between the seeds of the observations of a random window
Row = TypeVar("Row")


class FixedBatch:
    """Answers up to `batch_size` requests in one forward pass of exactly `batch_size` rows.

    Free batch slots repeat the last request, also when single observations of windows are encoded. Libraries choose
    their kernels, and with them the order of their sums, by the shape of a batch: one shape means one kernel. The
    policy is in evaluation mode, on the device.
    """

    def __init__(self, policy: Policy, device: torch.device, batch_size: int) -> None:
        self.batch_size = batch_size
        self._policy, self._device, self._encodes = policy, device, True

    def answer(self, requests: Sequence[Request]) -> list[Chunk]:
        """One chunk per request; 1 to `batch_size` requests."""
        with torch.inference_mode():
            actions, codes = self._predict(self._batch(self._filled(requests)))
        chunks = zip(actions[: len(requests)].to("cpu", torch.float32).numpy(), codes, strict=False)
        return [Chunk(actions=chunk, code=code) for chunk, code in chunks]

    def try_answer(self, requests: Sequence[Request]) -> list[Chunk | ErrorReply]:
        """Like `answer`; if the batch raises, each request is answered alone, so that only the faulty one fails."""
        try:
            return [*self.answer(requests)]
        except Exception as exception:
            if len(requests) > 1:
                return [reply for request in requests for reply in self.try_answer([request])]
            return [_error_reply(exception)]

    def is_repeatable(self) -> bool:
        """Whether the same request gets the same bits twice."""
        probe = random_request(self._policy, 0)
        return _equal(*(self.answer([_not_encoded(probe)])[0] for _ in range(2)))

    def is_independent(self) -> bool:
        """Whether a request gets the same bits in every batch slot, alone or beside others."""
        probes = [random_request(self._policy, row) for row in range(self.batch_size)]
        alone = [self.answer([_not_encoded(probe)])[0] for probe in probes]
        for shift in range(self.batch_size):
            order = [(row + shift) % self.batch_size for row in range(self.batch_size)]
            together = self.answer([_not_encoded(probes[i]) for i in order])
            if not all(_equal(together[row], alone[i]) for row, i in enumerate(order)):
                return False
        return True

    def _filled(self, rows: Sequence[Row]) -> Sequence[Row]:
        return [*rows, *[rows[-1]] * (self.batch_size - len(rows))]

    def _batch(self, requests: Sequence[Request]) -> ObservationBatch:
        """The requests as a batch on the device; observations of windows are encoded that are not yet."""
        history = self._policy.inputs.history
        messages = [request for request in requests if isinstance(request, ObservationMessage)]
        windows = [request for request in requests if isinstance(request, FrameWindow)]
        if history == 1 and not windows:
            return collate(messages).to(self._device)
        if history > 1 and not messages:
            self._encode(windows)
            return collate_windows(windows).to(self._device)
        got = "windows" if windows else "one observation"
        problem = f"The policy looks at {history} observations at once, a request has {got}."
        raise UsageError(problem, "Ask it by an agent of `make_agent`.", got=got, expected=history)

    def _encode(self, windows: Sequence[FrameWindow]) -> None:
        distinct = dict.fromkeys(frame for window in windows for frame in window.frames)
        frames = [frame for frame in distinct if frame.encoded is None] if self._encodes else []
        for first in range(0, len(frames), self.batch_size):
            block = frames[first : first + self.batch_size]
            rows = self._filled([frame.message for frame in block])
            encoded = self._policy.encode_frames(collate(rows).to(self._device))
            if encoded is None:
                self._encodes = False
                return
            for frame, features in zip(block, encoded, strict=False):
                frame.encoded, frame.message = features.clone(), replace(frame.message, images={})

    def _predict(self, batch: ObservationBatch) -> tuple[torch.Tensor, list[int]]:
        """Actions (B, K, A), and the code of each row."""
        if not isinstance(self._policy, CodedPolicy):
            return self._policy.predict(batch), [NO_CODE] * len(batch)
        actions, codes = self._policy.predict_with_codes(batch)
        return actions, codes.tolist()


def make_fixed_batch(
    policy: Policy, device: torch.device, batch_size: int | None = None
) -> tuple[FixedBatch, tuple[str, ...]]:
    """The batch to serve a policy with, after testing it on random requests.

    Without a batch size it has 1 row on a CPU and `GPU_BATCH_SIZE` elsewhere.

    Returns:
        The batch, and notes about reproducibility; none if answers are repeatable and independent.
    """
    batch = FixedBatch(policy, device, batch_size or (1 if device.type == "cpu" else GPU_BATCH_SIZE))
    if not batch.is_repeatable():
        return batch, (
            "The policy answers the same request differently each time: its results cannot be repeated bit for bit.",
        )
    if not batch.is_independent():
        return FixedBatch(policy, device, 1), (
            "An answer depends on other requests in the batch, so every request gets a forward pass of its own.",
        )
    return batch, ()


def collate(messages: Sequence[ObservationMessage]) -> ObservationBatch:
    """Messages as one batch in memory that torch aligns: with MKL, sums can depend on where an array begins."""
    return ObservationBatch(
        qpos=torch.from_numpy(np.stack([m.qpos for m in messages])).clone(),
        objects=torch.from_numpy(np.stack([m.objects for m in messages])).clone(),
        images={
            camera: torch.from_numpy(np.stack([m.images[camera] for m in messages])).clone().permute(0, 3, 1, 2)
            for camera in messages[0].images
        },
        instructions=tuple(m.instruction for m in messages),
    )


def collate_windows(windows: Sequence[FrameWindow]) -> ObservationBatch:
    """Windows of one length as one batch, as `collate` does it; encoded frames stay on their device."""
    frames = [frame for window in windows for frame in window.frames]
    flat = collate([frame.message for frame in frames])
    encoded = [frame.encoded for frame in frames if frame.encoded is not None]

    def grouped(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.view(len(windows), -1, *tensor.shape[1:])

    return replace(
        flat,
        qpos=grouped(flat.qpos),
        objects=grouped(flat.objects),
        images={camera: grouped(images) for camera, images in flat.images.items()},
        instructions=tuple(window.frames[-1].message.instruction for window in windows),
        valid=torch.tensor([window.valid for window in windows]),
        encoded_frames=grouped(torch.stack(encoded)) if encoded else None,
    )


def random_request(policy: Policy, seed: int) -> Request:
    """A random request of the kind that a policy expects; windows begin with more or less padding, by the seed."""
    history = policy.inputs.history
    if history == 1:
        return random_message(policy, seed)
    newest, valid = random_message(policy, seed), history - seed % history
    earlier = [random_message(policy, seed + FURTHER * age) for age in range(valid - 1, 0, -1)]
    messages = [*(replace(message, instruction=newest.instruction) for message in earlier), newest]
    frames, padding = [Frame(message=message) for message in messages], history - valid
    return FrameWindow(frames=(*[frames[0]] * padding, *frames), valid=(*[False] * padding, *[True] * valid))


def _not_encoded(request: Request) -> Request:
    """The request as if it were new; positions with the same observation still share it."""
    if isinstance(request, ObservationMessage):
        return request
    fresh = {frame: Frame(message=frame.message) for frame in request.frames}
    return replace(request, frames=tuple(fresh[frame] for frame in request.frames))


def random_message(policy: Policy, seed: int) -> ObservationMessage:
    """A random observation of the shapes that a policy expects."""
    spec, rng = policy.spec, np.random.default_rng(seed)
    instructions = policy.instructions or tuple(spec.instruction.split(INSTRUCTION_SEPARATOR))
    return ObservationMessage(
        qpos=rng.uniform(-1, 1, len(spec.joint_names)).astype(np.float32),
        objects=rng.uniform(-1, 1, 7 * len(spec.object_names)).astype(np.float32) * policy.inputs.objects,
        images={c: rng.integers(0, 256, (*spec.image_size, 3), dtype=np.uint8) for c in policy.inputs.cameras},
        instruction=instructions[seed % len(instructions)] if policy.inputs.instruction else "",
    )


def _equal(a: Chunk, b: Chunk) -> bool:
    return a.code == b.code and bool(np.array_equal(a.actions, b.actions, equal_nan=True))


def _error_reply(exception: Exception) -> ErrorReply:
    unavailable = isinstance(exception, MACHINE_ERRORS)
    problem = "The policy server's machine failed" if unavailable else "The policy failed on this request"
    return ErrorReply(
        message=f"{problem}: {type(exception).__name__}: {exception}",
        traceback="".join(traceback.format_exception(exception)),
        server_unavailable=unavailable,
    )
