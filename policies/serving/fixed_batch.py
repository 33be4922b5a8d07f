"""Forward passes of one fixed batch size, so that an answer does not depend on other requests (docs/decisions/0010)."""

import traceback
from collections.abc import Sequence

import numpy as np
import torch

from ambidex.envs.types import NO_CODE
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.policy import CodedPolicy, Policy
from ambidex.policies.serving.client import ErrorReply
from ambidex.recorders.dataset.info import INSTRUCTION_SEPARATOR

_ACCELERATOR_ERROR = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)  # since torch 2.8
MACHINE_ERRORS: tuple[type[Exception], ...] = (MemoryError, torch.OutOfMemoryError, _ACCELERATOR_ERROR)
GPU_BATCH_SIZE = 8


class FixedBatch:
    """Answers up to `batch_size` requests in one forward pass of exactly `batch_size` rows.

    Free batch slots repeat the last request. Libraries choose their kernels, and with them the order of their sums, by
    the shape of a batch: one shape means one kernel. The policy is in evaluation mode, on the device.
    """

    def __init__(self, policy: Policy, device: torch.device, batch_size: int) -> None:
        self.batch_size = batch_size
        self._policy, self._device = policy, device

    def answer(self, messages: Sequence[ObservationMessage]) -> list[Chunk]:
        """One chunk per message; 1 to `batch_size` messages."""
        rows = [*messages, *[messages[-1]] * (self.batch_size - len(messages))]
        with torch.inference_mode():
            actions, codes = self._predict(collate(rows).to(self._device))
        chunks = zip(actions[: len(messages)].to("cpu", torch.float32).numpy(), codes, strict=False)
        return [Chunk(actions=chunk, code=code) for chunk, code in chunks]

    def try_answer(self, messages: Sequence[ObservationMessage]) -> list[Chunk | ErrorReply]:
        """Like `answer`; if the batch raises, each message is answered alone, so that only the faulty one fails."""
        try:
            return [*self.answer(messages)]
        except Exception as exception:
            if len(messages) > 1:
                return [reply for message in messages for reply in self.try_answer([message])]
            return [_error_reply(exception)]

    def is_repeatable(self) -> bool:
        """Whether the same request gets the same bits twice."""
        probe = [random_message(self._policy, 0)]
        return _equal(self.answer(probe)[0], self.answer(probe)[0])

    def is_independent(self) -> bool:
        """Whether a request gets the same bits in every batch slot, alone or beside others."""
        probes = [random_message(self._policy, row) for row in range(self.batch_size)]
        alone = [self.answer([probe])[0] for probe in probes]
        for shift in range(self.batch_size):
            order = [(row + shift) % self.batch_size for row in range(self.batch_size)]
            together = self.answer([probes[i] for i in order])
            if not all(_equal(together[row], alone[i]) for row, i in enumerate(order)):
                return False
        return True

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


def random_message(policy: Policy, seed: int) -> ObservationMessage:
    """A random request of the shapes that a policy expects."""
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
