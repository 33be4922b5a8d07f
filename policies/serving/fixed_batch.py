"""Forward passes of one fixed size, so that an answer does not depend on who else asks (docs/decisions/0010)."""

import traceback
from collections.abc import Sequence

import numpy as np
import torch

from ambidex.envs.types import NO_CODE
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.data.dataset import BETWEEN
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.policy import CodedPolicy, Policy
from ambidex.policies.serving.client import Refusal

_ACCELERATOR_ERROR = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)  # since torch 2.8
MACHINE_FAULTS: tuple[type[Exception], ...] = (MemoryError, torch.OutOfMemoryError, _ACCELERATOR_ERROR)
GPU_LANES = 8  # rows of every forward pass on a GPU, however many ask


class FixedBatch:
    """Answers up to `lanes` requests in one forward pass of exactly `lanes` rows; free rows repeat the last request.

    Libraries choose their kernels, and so the order of their sums, by the shape of a batch. With one shape for all
    batches there is one kernel.

    Args:
        policy: In evaluation mode, on `device`.
        device: Where it computes.
        lanes: Rows of every forward pass.

    Attributes:
        lanes: As given.
    """

    def __init__(self, policy: Policy, device: torch.device, lanes: int) -> None:
        self.lanes = lanes
        self._policy, self._device = policy, device

    def answer(self, messages: Sequence[ObservationMessage]) -> list[Chunk]:
        """One chunk per message; 1 to `lanes` messages."""
        rows = [*messages, *[messages[-1]] * (self.lanes - len(messages))]
        with torch.inference_mode():
            actions, codes = self._predict(collate(rows).to(self._device))
        made = zip(actions[: len(messages)].to("cpu", torch.float32).numpy(), codes, strict=False)
        return [Chunk(actions=own, code=code) for own, code in made]

    def _predict(self, seen: ObservationBatch) -> tuple[torch.Tensor, list[int]]:
        """Actions (B, K, A), and the code behind each row."""
        if not isinstance(self._policy, CodedPolicy):
            return self._policy.predict(seen), [NO_CODE] * len(seen)
        actions, codes = self._policy.predict_with_codes(seen)
        return actions, codes.tolist()

    def answer_or_refuse(self, messages: Sequence[ObservationMessage]) -> list[Chunk | Refusal]:
        """Like `answer`; what fails together is asked one by one, so that only the request at fault is refused."""
        try:
            return [*self.answer(messages)]
        except Exception as exception:
            if len(messages) > 1:
                return [answer for message in messages for answer in self.answer_or_refuse([message])]
            return [_refusal(exception)]

    def repeatable(self) -> bool:
        """The same request gets the same bits twice."""
        probe = [random_message(self._policy, 0)]
        return _same(self.answer(probe)[0], self.answer(probe)[0])

    def independent(self) -> bool:
        """A request gets the same bits in every row, alone or beside others."""
        probes = [random_message(self._policy, row) for row in range(self.lanes)]
        alone = [self.answer([probe])[0] for probe in probes]
        for shift in range(self.lanes):
            order = [(row + shift) % self.lanes for row in range(self.lanes)]
            together = self.answer([probes[i] for i in order])
            if not all(_same(together[row], alone[i]) for row, i in enumerate(order)):
                return False
        return True


def _same(one: Chunk, other: Chunk) -> bool:
    return one.code == other.code and bool(np.array_equal(one.actions, other.actions, equal_nan=True))


def _refusal(exception: Exception) -> Refusal:
    lost = isinstance(exception, MACHINE_FAULTS)
    what = "The policy server's machine failed" if lost else "The policy failed on this request"
    return Refusal(
        message=f"{what}: {type(exception).__name__}: {exception}",
        traceback="".join(traceback.format_exception(exception)),
        lost=lost,
    )


def tried_out(policy: Policy, device: torch.device, lanes: int | None = None) -> tuple[FixedBatch, tuple[str, ...]]:
    """The batch to serve a policy with, and what must be said about reproducibility.

    Args:
        policy: In evaluation mode, on `device`.
        device: Where it computes.
        lanes: Rows of every forward pass; None for one on a CPU and `GPU_LANES` elsewhere.
    """
    batch = FixedBatch(policy, device, lanes or (1 if device.type == "cpu" else GPU_LANES))
    if not batch.repeatable():
        return batch, (
            "The policy answers the same request differently each time: its results cannot be repeated bit for bit.",
        )
    if not batch.independent():
        return FixedBatch(policy, device, 1), (
            "An answer depends on who else is in the batch, so every request gets a forward pass of its own.",
        )
    return batch, ()


def collate(messages: Sequence[ObservationMessage]) -> ObservationBatch:
    """Messages as one batch in memory that torch aligns: with MKL, sums can depend on where an array begins."""
    cameras = messages[0].images
    return ObservationBatch(
        qpos=torch.from_numpy(np.stack([m.qpos for m in messages])).clone(),
        objects=torch.from_numpy(np.stack([m.objects for m in messages])).clone(),
        images={
            camera: torch.from_numpy(np.stack([m.images[camera] for m in messages])).clone().permute(0, 3, 1, 2)
            for camera in cameras
        },
        instructions=tuple(m.instruction for m in messages),
    )


def random_message(policy: Policy, seed: int) -> ObservationMessage:
    """A request of the right shapes, for trying a policy out."""
    spec, rng = policy.spec, np.random.default_rng(seed)
    instructions = policy.instructions or tuple(spec.instruction.split(BETWEEN))
    return ObservationMessage(
        qpos=rng.uniform(-1, 1, len(spec.joint_names)).astype(np.float32),
        objects=rng.uniform(-1, 1, 7 * len(spec.object_names)).astype(np.float32) * policy.inputs.objects,
        images={c: rng.integers(0, 256, (*spec.image_size, 3), dtype=np.uint8) for c in policy.inputs.cameras},
        instruction=instructions[seed % len(instructions)] if policy.inputs.instruction else "",
    )
